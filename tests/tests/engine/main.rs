//! The engine, in this process: real components, a store in memory, no sockets.

mod broken;
mod cases;
mod commented;
mod contract;
mod contract_page;
mod forgets;
mod gaps;
mod grants;
mod hostile;
mod jumps;
mod lies;
mod limits;
mod phases;
mod promises;
mod reference;
mod remembered;
mod replays;
mod runs;
mod songs;
mod stage;
mod store;
mod stores;
mod swaps;
mod transfer;
