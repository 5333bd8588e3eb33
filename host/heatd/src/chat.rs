//! Reads Twitch chat without a login: any number of channels over as many connections as that needs.
//!
//! Lines are taken apart by the twitch-irc crate. Its client is not used: it joins in bursts, comes back without backoff, drops the
//! connection for one bad byte, and buffers without bound; ARCHITECTURE.md has the measurements. What stands here
//! instead is one loop for each connection.

mod assignments;
mod connection;
mod event;
#[cfg(test)]
mod fuzz;
mod joins;
mod lines;
mod notice;
mod outages;
mod pending_joins;
mod recorded;
mod rooms;
mod shared;
mod tags;

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::backoff::Backoff;
use crate::shutdown::Shutdown;
use assignments::{Assignment, Assignments};
pub(crate) use assignments::{ChannelsReceiver, ChannelsSender, connections};
use connection::{Connection, Ended};
use event::Reader;
use joins::Joins;
use outages::Outages;
pub(crate) use recorded::Recording;
pub(crate) use shared::Chat;

/// Keeps as many connections as the wanted channels need, until the shutdown. Returns when all of them have ended.
pub(crate) async fn run(
    chat: Chat,
    mut wanted: ChannelsReceiver,
    mut shutdown: Shutdown,
) -> Result<()> {
    let joins = Joins::default();
    let mut connections = JoinSet::new();
    let mut shares = Assignments::default();
    loop {
        for share in shares.divide(&wanted.look()) {
            connections.spawn(keep(chat.clone(), share, joins.clone(), shutdown.clone()));
        }
        chat.metrics.connections_desired(shares.count());
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

/// Connects again and again until the shutdown. Gaps that are still open then are recorded, because the next run cannot know them.
async fn keep(chat: Chat, mut share: Assignment, joins: Joins, shutdown: Shutdown) {
    let mut away = Outages::new();
    share.look(&mut away);
    connect(&chat, &mut share, &joins, &mut away, shutdown).await;
    for (channel, since) in away.take_all() {
        // The engine may have ended first.
        let _ = chat.note_gap(&channel, since).await;
    }
}

async fn connect(
    chat: &Chat,
    share: &mut Assignment,
    joins: &Joins,
    away: &mut Outages,
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
            // Twitch has asked for it. Lines are missed until heatd is back, so it does not wait.
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
