//! The engine, in this process: real components, a store in memory, no sockets.

mod cases;
mod contract;
mod limits;
mod phases;
mod stage;
mod store;
