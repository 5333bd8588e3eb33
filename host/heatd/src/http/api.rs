//! What answers are made of: everything that a resource may ask.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::http::StatusCode;
use heat_engine::{Outputs, Statistics};
use tokio::sync::{mpsc, watch as value};

use crate::backup::Backups;
use crate::channels::Channels;
use crate::decider::Input;
use crate::emotes::Shelves;
use crate::feed::{Feed, States};
use crate::http::form::problem::Problem;
use crate::http::guard::limits::Seats;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::roster::Roster;
use crate::shutdown::Shutdown;
use crate::tokens::Tokens;

/// What the pages are made of.
pub(crate) struct Api {
    pub(crate) metrics: Metrics,
    pub(crate) roster: Arc<Roster>,
    pub(crate) feed: Feed,
    pub(crate) outputs: value::Receiver<Arc<Outputs>>,
    pub(crate) states: value::Receiver<Arc<States>>,
    pub(crate) inputs: mpsc::WeakSender<Input>,
    /// The file of the store.
    pub(crate) store: PathBuf,
    pub(crate) started: Instant,
    pub(crate) shutdown: Shutdown,
    pub(crate) live: Live,
    pub(crate) channels: Arc<Channels>,
    /// What was counted over time; there once the engine is.
    pub(crate) statistics: Arc<OnceLock<Statistics>>,
    /// The sets of emotes. None: no provider is asked.
    pub(crate) shelves: Option<Shelves>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) seats: Seats,
    pub(crate) backups: Arc<Backups>,
}

impl Api {
    pub(crate) fn statistics(&self) -> Result<Statistics, Problem> {
        let starting =
            || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "heatd is starting; ask again");
        self.statistics.get().cloned().ok_or_else(starting)
    }

    /// How many events wait for the engine, and how many may.
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

/// The login of a channel that heatd has, however it was written.
pub(crate) fn channel(api: &Api, written: &str) -> Result<String, Problem> {
    let name = written.trim_start_matches('#').to_lowercase();
    match api.roster.find(&name) {
        Some(_) => Ok(name),
        None => Err(Problem::no_channel(&name)),
    }
}

/// The same, or of one that was removed: what it has counted is there.
pub(crate) fn counted(api: &Api, written: &str) -> Result<String, Problem> {
    let name = written.trim_start_matches('#').to_lowercase();
    if api.roster.removed().contains_key(&name) { Ok(name) } else { channel(api, written) }
}
