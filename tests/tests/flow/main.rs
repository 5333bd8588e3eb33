//! The whole way, with real programs and real sockets: scripted chat, heatd, a broker, heat-writer, a file.

mod anonymous;
mod brokers;
mod client;
mod configuration;
mod emotes;
mod folder;
mod live;
mod network;
mod odd;
mod original;
mod peers;
mod recorded;
mod shows;
mod start;
mod streams;
mod town;
