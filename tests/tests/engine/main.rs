//! The engine, in this process: real components, a store in memory, no sockets.

mod broken;
mod cases;
mod commented;
mod contract;
mod contract_page;
mod fuzz;
mod grants;
mod hostile;
mod lies;
mod limits;
mod phases;
mod properties;
mod reference;
mod remembered;
mod replays;
mod runs;
mod songs;
mod stage;
mod store;
mod story;
mod swaps;
