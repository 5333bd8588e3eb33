//! EventSub by WebSocket: what an account that is logged in hears of its channel. Facts: dev.twitch.tv/docs/eventsub/handling-websocket-events.
//!
//! - [`ear`] is what all accounts share, [`listener`] keeps a session for one account, [`socket`] is one connection, [`close`] says what each close code means,
//! - [`wanted`] says what there is to hear, [`subscriber`] asks for it, [`former`] knows which sessions were this heatd's,
//! - [`frame`] and [`decode`] read what comes ([`fields`] leniently, [`said`] lines of chat), and [`teller`] passes it on; [`hearing`] is how it stands.
//!
//! One loop and own types, because a session has to outlive connections, and because one field that Twitch has added must cost nothing.

mod close;
mod decode;
mod ear;
mod fields;
mod former;
mod frame;
#[cfg(test)]
mod fuzz;
mod hearing;
mod listener;
mod said;
mod socket;
mod subscriber;
mod teller;
mod wanted;

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::shutdown::Shutdown;
pub(crate) use ear::Ear;
pub(crate) use hearing::{Hearing, HearingState};
use listener::EventListener;
pub(crate) use teller::Teller;

/// Hears for every account of the configuration, until the shutdown.
pub(crate) async fn run(ear: Ear, shutdown: Shutdown) -> Result<()> {
    let ear = Arc::new(ear);
    let mut listeners = JoinSet::new();
    for state in ear.accounts.states().iter() {
        let listener = EventListener { ear: Arc::clone(&ear), config: state.config.clone() };
        listeners.spawn(listener.run(shutdown.clone()));
    }
    drop(ear);
    while let Some(ended) = listeners.join_next().await {
        ended.context("what hears EventSub panicked")?;
    }
    Ok(())
}
