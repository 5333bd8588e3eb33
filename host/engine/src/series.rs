//! Series: how often something happened in a channel, in bins of one second to one hour.
//!
//! - [`resolution`] says how wide a bin is, how many of them make a block, and how long they are kept,
//! - [`names`] gives every emote and every output a number, so that blocks are small,
//! - [`open`] has the blocks that still grow, in memory, [`take`] what a record adds to them,
//! - [`block`] is how a block is stored, [`store`] writes those that have closed,
//! - [`query`] reads both, [`since`] says from when on there is something to read, [`top`] who and what has the most faves,
//! - [`recover`] makes the open ones again from the log after a start, while [`shared`] keeps what happens,
//! - [`counting`] is all of it in the hand of the engine.
//!
//! Everything here follows from the records of the log and their times alone, in their order: a recount gives the same numbers.
//! What is in no bin yet is in the log, which is written first; so nothing is lost with the memory.

mod block;
pub(crate) mod counting;
pub(crate) mod names;
mod open;
pub(crate) mod query;
mod recover;
pub(crate) mod resolution;
mod shared;
mod since;
pub(crate) mod store;
mod take;
pub(crate) mod top;
