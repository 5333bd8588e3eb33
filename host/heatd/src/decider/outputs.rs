//! What the engine's thread writes to: each field is the writing end of something that others read.

use std::sync::Arc;
use std::time::Duration;

use heat_engine::{Decision, Engine, Outputs};
use tokio::sync::{mpsc, watch};
use tracing::info;

use crate::config::Retention;
use crate::control::Shadows;
use crate::control::moderation::Moderation;
use crate::metrics::Metrics;
use crate::names::Unnamed;
use crate::queue::streams::Streams;
use crate::queue::{Agenda, Mailbox, Topics};
use crate::view::feed::{Feed, States, Summary};
use crate::view::gaps::{self, Gap};
use crate::view::raw_log::RawLog;
use crate::view::registry::ChannelRegistry;
use crate::voice::Says;

/// The writing ends that belong to the engine's thread.
pub(crate) struct EngineOutputs {
    pub(crate) outputs: watch::Sender<Arc<Outputs>>,
    pub(crate) agenda: watch::Sender<Agenda>,
    pub(crate) mailbox: Arc<Mailbox>,
    /// Lines to be said in chat.
    pub(crate) says: Says,
    /// People whose ids are to be found out.
    pub(crate) unnamed: mpsc::Sender<Unnamed>,
    pub(crate) states: watch::Sender<Arc<States>>,
    pub(crate) metrics: Metrics,
    pub(crate) registry: Arc<ChannelRegistry>,
    pub(crate) feed: Feed,
    pub(crate) raw_log: RawLog,
    pub(crate) streams: Streams,
    pub(crate) moderation: Moderation,
    /// Topics that somebody takes.
    pub(crate) topics: watch::Sender<Arc<Topics>>,
    /// Rules that run beside what is live.
    pub(crate) shadows: Arc<Shadows>,
    /// How long a group that nobody waits for may stay open.
    pub(crate) flush: Duration,
    /// How long a group that somebody waits for may stay open, for others to share its commit.
    pub(crate) gather: Duration,
    /// How old the log may grow, in milliseconds.
    pub(crate) keep_log: u64,
    /// How long series (counts over time) are kept.
    pub(crate) kept: Retention,
}

impl EngineOutputs {
    /// The MQTT topics that rules take, and those on which a stream's start and end are announced.
    pub(crate) fn topics_of(&self, engine: &Engine) -> Topics {
        self.streams.with_topics(engine.topics(), &self.registry.names())
    }

    pub(super) fn gap(&self, gap: Gap) {
        let long = gap.long();
        info!(channel = gap.channel, away = gaps::words(long), "chat was away");
        self.metrics.chat_gap(long);
        self.feed.tell(&gap.channel, Summary::gap(long, gap.until));
        self.registry.gaps.add(gap);
    }

    pub(super) fn decided(&self, told: Option<Summary>, decision: &Decision) {
        self.metrics.decided(decision);
        self.registry.decided(decision);
        self.feed.decided(told, decision);
    }
}
