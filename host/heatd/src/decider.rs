//! The engine's thread: drains what is waiting, decides on each event in order, commits once.
//!
//! It never waits for those it feeds. Outputs are a watched value; messages and acknowledgements go into a mailbox, which is
//! bounded by the outbox's limit and the broker's inflight window. So a deadlock between the engine and its readers is impossible.

mod group;
mod outputs;

pub(crate) use group::run;
pub(crate) use outputs::EngineOutputs;
