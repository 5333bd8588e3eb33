//! Connects to a name that has several addresses, as RFC 8305 ("Happy Eyeballs") says: a short while after one attempt the next
//! begins beside it, and the first connection wins. So one dead address, such as IPv6 that leads nowhere, costs a quarter of a
//! second and not the whole time limit.
//!
//! Chat, emotes and the broker of heatd, heat-writer and `heat watch` all connect here. The crate knows sockets and names, no TLS and
//! no protocol, and links tokio at most: so the writer stays small.
//!
//! - [`order`] says in which order addresses are tried, and `failures` what is told when none of them answers;
//! - [`connect`] is for programs with tokio, [`blocking`] for those without.

#[cfg(any(test, feature = "tokio"))]
mod asynchronous;
pub mod blocking;
mod failures;
mod order;
#[cfg(test)]
mod tests;

use std::time::Duration;

#[cfg(any(test, feature = "tokio"))]
pub use asynchronous::{connect, connect_to};
pub use order::order;

/// How long an attempt goes on alone before the next address is tried beside it: what RFC 8305, section 8, recommends.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
