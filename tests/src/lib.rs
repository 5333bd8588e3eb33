//! The harness that the tests share: scripted and real peers for the programs under test.
//!
//! Read in this order:
//! - [`patience`]: waiting for something to become true; the only clock of the tests.
//! - [`length`]: how long the longest tests go on.
//! - [`notice`]: what a person must see even when every test passes.
//! - [`irc`]: one raw line of chat taken apart, without the parser that the daemon uses.
//! - [`twitch`]: a scripted Twitch chat server on a real socket.
//! - [`emotes`]: a scripted provider of emotes that are not Twitch's.
//! - [`logins`]: a scripted server for logins, as id.twitch.tv is.
//! - [`twitch_api`]: a scripted api.twitch.tv and EventSub, which take the tokens of the above.
//! - [`chat`]: made-up chat from a seed, with the counts that it must lead to.
//! - [`recordings`]: recorded chat, found through `HEAT_RECORDINGS`, with independent counts.
//! - [`processes`]: real programs, started, watched and ended.
//! - [`tls`]: certificates for a server on this machine.
//! - [`mosquitto`]: a real MQTT broker, and real clients of it.
//! - [`mqtt`]: the least of an MQTT client, and a publisher that repeats.
//! - [`proxy`]: a network that misbehaves.
//! - [`crash`]: heatd killed again and again under a stream of faves.
//! - [`prometheus`]: a page of /metrics read, and promtool.
//! - [`soak`]: many channels for a long time, for `cargo xtask soak`.
//! - [`figures`]: what a bench has measured, for `cargo xtask bench`.
//! - [`bombs`]: small files that cost far more to load than they take, as a rule of a stranger may.
//! - [`fuzz`]: functions that assert properties of what becomes of any bytes, as tests and for `cargo xtask fuzz`.
//! - [`peer`]: a strict Twitch client by other people, to judge the scripted server; [`event_peer`]: two for EventSub.
//!
//! Nothing here links the engine or the daemon. Everything listens on loopback and lives in temporary folders.

pub mod patience;

pub mod length;

pub mod notice;

pub mod irc;

pub mod twitch;

pub mod emotes;

pub mod logins;

pub mod twitch_api;

pub mod chat;

pub mod recordings;

pub mod processes;

pub mod terminal;
pub mod tls;

pub mod mosquitto;

pub mod mqtt;

pub mod proxy;

pub mod crash;

pub mod prometheus;

pub mod soak;

pub mod figures;

pub mod fuzz;

pub mod peer;

pub mod event_peer;

pub mod bombs;
