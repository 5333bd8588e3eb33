//! Which slots each channel has, how they stand, and how often each was called.

use std::sync::{Arc, Mutex, PoisonError};

use heat_engine::{Chain, Decision, Engine, Standing};

use prometheus_client::metrics::counter::Counter;

use crate::feed::States;
use crate::gaps::Gaps;
use crate::metrics::{Metrics, SlotFigures};

/// The channels in the order of the configuration.
pub(crate) struct Roster {
    pub(crate) channels: Vec<Listed>,
    /// How their slots stand, as of the last commit that changed something shown.
    standings: Mutex<Arc<Vec<Standing>>>,
    /// When their chat was not heard, of late.
    pub(crate) gaps: Gaps,
}

/// A channel with its slots, in the order of its chain.
pub(crate) struct Listed {
    pub(crate) channel: Arc<str>,
    pub(crate) slots: Vec<Counts>,
    faves: Counter,
}

/// How often a slot's rule was called since the start.
pub(crate) struct Counts {
    pub(crate) slot: String,
    pub(crate) figures: SlotFigures,
}

impl Roster {
    pub(crate) fn new(chains: &[Chain], metrics: &Metrics) -> Self {
        let listed = chains.iter().map(|chain| {
            let channel: Arc<str> = chain.channel.to_lowercase().into();
            let counts = |(slot, _): &(String, heat_engine::Rule)| Counts {
                slot: slot.clone(),
                figures: metrics.slot(&channel, slot),
            };
            let (slots, faves) =
                (chain.rules.iter().map(counts).collect(), metrics.faves_of(&channel));
            Listed { channel, slots, faves }
        });
        Self { channels: listed.collect(), standings: Mutex::default(), gaps: Gaps::default() }
    }

    /// How the slots stand now.
    pub(crate) fn stand(&self, standings: Vec<Standing>) {
        *self.standings.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(standings);
    }

    pub(crate) fn standings(&self) -> Arc<Vec<Standing>> {
        // Nothing in here panics, so a poisoned lock cannot be.
        Arc::clone(&self.standings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How often a slot was called.
    pub(crate) fn counts(&self, channel: &str, slot: &str) -> Option<&Counts> {
        self.find(channel)?.slots.iter().find(|it| it.slot == slot)
    }

    pub(crate) fn find(&self, channel: &str) -> Option<&Listed> {
        self.channels.iter().find(|listed| &*listed.channel == channel)
    }

    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        self.channels.iter().map(|listed| Arc::clone(&listed.channel)).collect()
    }

    /// What the engine knows of the channels' streams.
    pub(crate) fn states(&self, engine: &Engine) -> States {
        let stream =
            |listed: &Listed| Some((Arc::clone(&listed.channel), engine.stream(&listed.channel)?));
        self.channels.iter().filter_map(stream).collect()
    }

    /// Faves of all channels since the start.
    pub(crate) fn faves(&self) -> u64 {
        self.channels.iter().map(|listed| listed.faves.get()).sum()
    }

    /// Counts the faves and the calls of one decision.
    pub(crate) fn decided(&self, decision: &Decision) {
        let Some(listed) = self.find(&decision.channel) else { return };
        listed.faves.inc_by(decision.faves.len() as u64);
        for answer in &decision.answers {
            let Some(slot) = listed.slots.iter().find(|it| *it.slot == *answer.slot) else {
                continue;
            };
            slot.figures.called(answer);
        }
    }
}
