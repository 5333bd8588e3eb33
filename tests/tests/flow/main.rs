//! The whole way, with real programs and real sockets: scripted chat, heatd, a broker, heat-writer, a file.

mod acknowledged;
mod anonymous;
mod brokers;
mod client;
mod configuration;
mod crash;
mod faults;
mod floods;
mod folder;
mod gaps;
mod jumps;
mod ledger;
mod live;
mod network;
mod odd;
mod original;
mod peers;
mod queues;
mod recorded;
mod shows;
mod start;
mod streams;
mod town;
mod twice;
mod writer;
