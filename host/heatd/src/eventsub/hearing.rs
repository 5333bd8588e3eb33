//! How EventSub stands for each account: for the status, the page and metrics.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::Serialize;

use crate::metrics::Metrics;

/// What an account hears.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct HearingState {
    /// Whether there is a session.
    pub(crate) connected: bool,
    /// The types of events that it hears.
    pub(crate) hears: Vec<&'static str>,
    /// The types that it should hear and does not, with Twitch's reason.
    pub(crate) refused: BTreeMap<&'static str, String>,
    /// Why there is no session.
    pub(crate) problem: Option<String>,
}

/// What all accounts hear.
pub(crate) struct Hearing {
    states: Mutex<BTreeMap<String, HearingState>>,
    metrics: Metrics,
}

impl Hearing {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { states: Mutex::default(), metrics }
    }

    /// How it stands for an account; none where it is not to hear anything.
    pub(crate) fn of(&self, account: &str) -> Option<HearingState> {
        self.states.lock().get(account).cloned()
    }

    pub(super) fn change(&self, account: &str, change: impl FnOnce(&mut HearingState)) {
        let mut states = self.states.lock();
        let state = states.entry(account.to_owned()).or_default();
        change(state);
        self.metrics.eventsub_connected(account, state.connected);
    }
}
