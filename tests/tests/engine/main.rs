//! The engine, in this process: real components, a store in memory, no sockets.

mod cases;
mod commented;
mod contract;
mod contract_page;
mod limits;
mod phases;
mod reference;
mod remembered;
mod songs;
mod stage;
mod store;
