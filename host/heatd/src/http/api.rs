//! What handlers work with: the parts of heatd that an answer may need.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::http::StatusCode;
use heat_engine::{Outputs, Statistics};
use tokio::sync::{mpsc, watch as value};

use crate::account::Accounts;
use crate::backup::Backups;
use crate::config::Retention;
use crate::control::Control;
use crate::control::channels::Channels;
use crate::data::tokens::Tokens;
use crate::emotes::EmoteSets;
use crate::eventsub::Hearing;
use crate::http::form::problem::Problem;
use crate::http::form::query::login_of;
use crate::http::guard::limits::AnswerLimits;
use crate::metrics::Metrics;
use crate::queue::Input;
use crate::shutdown::Shutdown;
use crate::view::feed::{Feed, States};
use crate::view::raw_log::RawLog;
use crate::view::registry::ChannelRegistry;
use crate::view::removals::Removals;
use crate::voice::{Moderator, Says};

/// The parts of heatd that handlers use.
pub(crate) struct Api {
    pub(crate) metrics: Metrics,
    pub(crate) registry: Arc<ChannelRegistry>,
    pub(crate) feed: Feed,
    pub(crate) outputs: value::Receiver<Arc<Outputs>>,
    pub(crate) states: value::Receiver<Arc<States>>,
    pub(crate) inputs: mpsc::WeakSender<Input>,
    /// The file of the store.
    pub(crate) store: PathBuf,
    pub(crate) started: Instant,
    pub(crate) shutdown: Shutdown,
    pub(crate) live: Control,
    pub(crate) channels: Arc<Channels>,
    /// What was counted over time. Empty until the engine is open.
    pub(crate) statistics: Arc<OnceLock<Statistics>>,
    /// The sets of emotes. None: no provider is asked.
    pub(crate) shelves: Option<EmoteSets>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) limits: AnswerLimits,
    /// How long bins of series are kept.
    pub(crate) kept: Retention,
    pub(crate) backups: Arc<Backups>,
    /// The Twitch accounts that heatd is logged in to.
    pub(crate) accounts: Arc<Accounts>,
    /// How EventSub stands for each of them.
    pub(crate) hearing: Arc<Hearing>,
    /// What moderators have removed.
    pub(crate) removals: Arc<Removals>,
    /// Every line and frame as it came.
    pub(crate) raw_log: RawLog,
    /// Where lines to be said in chat are handed in.
    pub(crate) says: Says,
    /// Moderates for people.
    pub(crate) moderator: Arc<Moderator>,
    /// Nobody may search what was said in these channels.
    pub(crate) without_history: BTreeSet<String>,
    /// The port at which heatd listens.
    pub(crate) port: u16,
}

impl Api {
    /// The login of a channel that heatd reads, however it was written.
    pub(crate) fn channel(&self, written: &str) -> Result<String, Problem> {
        let name = login_of(written);
        match self.registry.find(&name) {
            Some(_) => Ok(name),
            None => Err(Problem::no_channel(&name)),
        }
    }

    /// Refuses a channel of which nobody may search what was said.
    pub(crate) fn must_have_history(&self, channel: &str) -> Result<(), Problem> {
        if !self.without_history.contains(channel) {
            return Ok(());
        }
        let why = format!("#{channel} has no history for people: `without_history` in heatd.toml");
        Err(Problem::new(StatusCode::CONFLICT, why))
    }

    pub(crate) fn statistics(&self) -> Result<Statistics, Problem> {
        let starting =
            || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "heatd is starting; ask again");
        self.statistics.get().cloned().ok_or_else(starting)
    }

    /// How many events wait for the engine, and how many can.
    pub(crate) fn queue(&self) -> (usize, usize) {
        let waiting = |inputs: mpsc::Sender<Input>| {
            (inputs.max_capacity() - inputs.capacity(), inputs.max_capacity())
        };
        self.inputs.upgrade().map(waiting).unwrap_or_default()
    }

    pub(crate) fn store_bytes(&self) -> u64 {
        std::fs::metadata(&self.store).map_or(0, |store| store.len())
    }
}
