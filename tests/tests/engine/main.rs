//! The engine, in this process: real components, a store in memory, no sockets.

mod cases;
mod commented;
mod contract;
mod grants;
mod limits;
mod phases;
mod reference;
mod remembered;
mod replays;
mod runs;
mod songs;
mod stage;
mod store;
mod swaps;
