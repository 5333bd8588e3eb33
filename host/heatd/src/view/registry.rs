//! The registry of channels: which there are, the status of their slots, and how often each rule was called.

use std::collections::BTreeMap;
use std::sync::Arc;

use heat_engine::{Chain, Decision, Engine, SlotStatus};
use parking_lot::{Mutex, MutexGuard, RwLock};

use prometheus_client::metrics::counter::Counter;

use crate::metrics::{Metrics, SlotFigures};
use crate::view::feed::States;
use crate::view::gaps::Gaps;

/// All channels, and what is known about them outside the engine.
pub(crate) struct ChannelRegistry {
    /// In the order of the configuration, then in that in which they were added.
    channels: RwLock<Vec<Arc<ChannelEntry>>>,
    /// Channels that were removed while running, and when, in milliseconds since 1970.
    removed: Mutex<BTreeMap<String, u64>>,
    /// The status of all slots, as of the last commit that changed an output.
    standings: Mutex<Arc<Vec<SlotStatus>>>,
    /// Gaps of the last day.
    pub(crate) gaps: Arc<Gaps>,
}

/// A channel with its slots, in the order of its chain; those that were added while running come last.
#[derive(Clone)]
pub(crate) struct ChannelEntry {
    pub(crate) channel: Arc<str>,
    pub(crate) slots: Vec<Counts>,
    faves: Counter,
}

/// How often a slot's rule was called since the start.
#[derive(Clone)]
pub(crate) struct Counts {
    pub(crate) slot: String,
    pub(crate) figures: SlotFigures,
}

impl ChannelEntry {
    pub(crate) fn new(chain: &Chain, metrics: &Metrics) -> Self {
        let channel: Arc<str> = chain.channel.to_lowercase().into();
        let counts = |(slot, _): &(String, heat_engine::Rule)| Counts {
            slot: slot.clone(),
            figures: metrics.slot(&channel, slot),
        };
        let slots = chain.rules.iter().map(counts).collect();
        let faves = metrics.faves_of(&channel);
        Self { channel, slots, faves }
    }
}

impl ChannelRegistry {
    pub(crate) fn new(chains: &[Chain], removed: BTreeMap<String, u64>, metrics: &Metrics) -> Self {
        let listed = chains.iter().map(|chain| Arc::new(ChannelEntry::new(chain, metrics)));
        Self {
            channels: RwLock::new(listed.collect()),
            removed: Mutex::new(removed),
            standings: Mutex::default(),
            gaps: Arc::default(),
        }
    }

    /// Adds a channel.
    pub(crate) fn add(&self, listed: ChannelEntry) {
        self.removed().remove(&*listed.channel);
        self.channels.write().push(Arc::new(listed));
    }

    /// Removes a channel, and notes when.
    pub(crate) fn remove(&self, channel: &str, now: u64) {
        let mut channels = self.channels.write();
        channels.retain(|listed| *listed.channel != *channel);
        drop(channels);
        self.removed().insert(channel.to_owned(), now);
    }

    /// Adds a slot to a channel: its calls are counted from now on.
    pub(crate) fn add_slot(&self, channel: &str, slot: &str, metrics: &Metrics) {
        self.change_slots(channel, |slots| {
            let figures = metrics.slot(&Arc::from(channel), slot);
            slots.push(Counts { slot: slot.to_owned(), figures });
        });
    }

    /// Removes a slot of a channel.
    pub(crate) fn remove_slot(&self, channel: &str, slot: &str) {
        self.change_slots(channel, |slots| slots.retain(|it| it.slot != slot));
    }

    fn change_slots(&self, channel: &str, change: impl FnOnce(&mut Vec<Counts>)) {
        let mut channels = self.channels.write();
        let Some(listed) = channels.iter_mut().find(|it| *it.channel == *channel) else { return };
        let mut changed = ChannelEntry::clone(listed);
        change(&mut changed.slots);
        *listed = Arc::new(changed);
    }

    /// The channels that were removed, and when.
    pub(crate) fn removed(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.removed.lock()
    }

    /// The channels, in order.
    pub(crate) fn channels(&self) -> Vec<Arc<ChannelEntry>> {
        self.channels.read().clone()
    }

    /// Sets the status of all slots.
    pub(crate) fn stand(&self, standings: Vec<SlotStatus>) {
        *self.standings.lock() = Arc::new(standings);
    }

    pub(crate) fn standings(&self) -> Arc<Vec<SlotStatus>> {
        Arc::clone(&self.standings.lock())
    }

    pub(crate) fn find(&self, channel: &str) -> Option<Arc<ChannelEntry>> {
        let channels = self.channels.read();
        channels.iter().find(|listed| &*listed.channel == channel).map(Arc::clone)
    }

    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        self.channels().iter().map(|listed| Arc::clone(&listed.channel)).collect()
    }

    /// The state of each channel's stream, as the engine knows it.
    pub(crate) fn states(&self, engine: &Engine) -> States {
        let stream = |channel: Arc<str>| Some((Arc::clone(&channel), engine.stream(&channel)?));
        self.names().into_iter().filter_map(stream).collect()
    }

    /// Faves of all channels since the start.
    pub(crate) fn faves(&self) -> u64 {
        self.channels().iter().map(|listed| listed.faves.get()).sum()
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

impl ChannelEntry {
    /// How often a slot was called.
    pub(crate) fn counts(&self, slot: &str) -> Option<&Counts> {
        self.slots.iter().find(|it| it.slot == slot)
    }
}
