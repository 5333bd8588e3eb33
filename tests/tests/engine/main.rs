//! The engine, in this process: real components, a store in memory, no sockets.

mod broken;
mod cases;
mod commented;
mod contract;
mod contract_page;
mod grants;
mod hostile;
mod lies;
mod limits;
mod phases;
mod reference;
mod remembered;
mod replays;
mod runs;
mod series;
mod songs;
mod stage;
mod store;
mod swaps;
