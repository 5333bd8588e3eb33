//! Reads Twitch chat without a login: any number of channels over as many connections as that needs.
//!
//! Lines are taken apart by the twitch-irc crate. Its client is not used: it joins in bursts, comes back without backoff, drops the
//! connection for one bad byte, and buffers without bound; ARCHITECTURE.md has the measurements. What stands here
//! instead is one loop for each connection.

mod awaited;
mod away;
mod connection;
mod event;
#[cfg(test)]
mod fuzz;
mod joins;
mod lines;
mod notice;
mod recorded;
mod tags;
mod wanted;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::rustls::ClientConfig;
use tracing::{info, warn};

use crate::backoff::Backoff;
use crate::clock::now;
use crate::config::{Config, Twitch};
use crate::decider::Input;
use crate::emotes::Emotes;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use away::Away;
pub(crate) use away::Since;
use connection::{Connection, Ended};
use event::Reader;
use joins::Joins;
pub(crate) use recorded::read_recording;
use wanted::{Share, Shares};
pub(crate) use wanted::{Wanted, Wants, connections};

/// What every connection of the chat has.
#[derive(Clone)]
pub(crate) struct Chat {
    pub(crate) config: Arc<Config>,
    /// None: plain TCP, for tests and for a proxy on this machine.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) inputs: mpsc::Sender<Input>,
    pub(crate) metrics: Metrics,
    /// Emotes that are not Twitch's, if anybody is asked for them.
    pub(crate) emotes: Option<Arc<Emotes>>,
}

impl Chat {
    fn twitch(&self) -> &Twitch {
        &self.config.twitch
    }

    /// A channel is heard again. An error: heatd is shutting down.
    async fn note_gap(
        &self,
        channel: &str,
        (from, why): Since,
    ) -> Result<(), mpsc::error::SendError<Input>> {
        self.inputs.send(Input::gap(now(), channel, from, why)).await
    }
}

/// Keeps the connections until the shutdown, as many as the wanted channels need. Returns when all of them have ended.
pub(crate) async fn run(chat: Chat, mut wanted: Wanted, mut shutdown: Shutdown) -> Result<()> {
    let joins = Joins::default();
    let mut connections = JoinSet::new();
    let mut shares = Shares::default();
    loop {
        for share in shares.divide(&wanted.look()) {
            connections.spawn(keep(chat.clone(), share, joins.clone(), shutdown.clone()));
        }
        chat.metrics.connections_wanted(shares.count());
        tokio::select! {
            () = wanted.changed() => {}
            () = shutdown.begun() => break,
            Some(ended) = connections.join_next() => ended.context("a connection to chat panicked")?,
        }
    }
    while let Some(ended) = connections.join_next().await {
        ended.context("a connection to chat panicked")?;
    }
    Ok(())
}

/// Connects again and again. What was not heard until the end is noted at the end: the next run begins with its own store.
async fn keep(chat: Chat, mut share: Share, joins: Joins, shutdown: Shutdown) {
    let mut away = Away::new();
    share.look(&mut away);
    connect(&chat, &mut share, &joins, &mut away, shutdown).await;
    for (channel, since) in away.take_all() {
        // The engine may have ended first.
        let _ = chat.note_gap(&channel, since).await;
    }
}

async fn connect(
    chat: &Chat,
    share: &mut Share,
    joins: &Joins,
    away: &mut Away,
    mut shutdown: Shutdown,
) {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(60));
    let mut reader = Reader::live(chat.metrics.unrecognized().clone());
    loop {
        let mut connection = Connection::new(chat, share, joins, &mut reader, away);
        let ended = tokio::select! {
            ended = connection.run() => ended,
            () = shutdown.begun() => return,
        };
        let lasted = connection.lasted();
        if lasted {
            backoff.reset();
        }
        if connection.was_welcomed() {
            chat.metrics.chat_connected(false);
        }
        let wait = match &ended {
            // Twitch asks for it, and lines are missed until it is done.
            Ended::Reconnect if lasted => Duration::ZERO,
            Ended::NobodyListens | Ended::Unwanted => return,
            _ => backoff.next(fastrand::f64()),
        };
        let wait_ms = wait.as_millis() as u64;
        match ended {
            Ended::Reconnect => info!("chat asks to reconnect"),
            ended => {
                warn!(reason = %ended, wait_ms, "chat connection lost; lines sent meanwhile are missed");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = share.emptied() => return,
            () = shutdown.begun() => return,
        }
    }
}
