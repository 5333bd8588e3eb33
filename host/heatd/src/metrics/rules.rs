//! Rules: calls, failures, time and fuel of each slot, changes of slots, and the faves of each channel.

use std::collections::HashSet;
use std::sync::Arc;

use heat_engine::{Answer, SlotStatus};
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Channel {
    channel: Arc<str>,
}

/// The labels of a figure about one rule.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Slot {
    channel: Arc<str>,
    slot: String,
}

/// One label for all channels: a histogram for each of many channels would make a large page.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SlotName {
    slot: String,
}

/// The labels of a change of a slot.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Swap {
    slot: String,
    action: String,
    outcome: String,
}

/// The labels of a slot's status.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Stands {
    channel: String,
    slot: String,
    state: &'static str,
}

/// The figures of one slot of one channel, found once: counting a call looks nothing up and makes nothing.
#[derive(Clone)]
pub(crate) struct SlotFigures {
    pub(crate) calls: Counter,
    pub(crate) failures: Counter,
    silences: Counter,
    pub(crate) fuel: Counter,
    seconds: Histogram,
}

impl SlotFigures {
    /// Counts one call.
    pub(crate) fn called(&self, answer: &Answer) {
        self.calls.inc();
        match &answer.outcome {
            Err(_) => drop(self.failures.inc()),
            Ok(effects) if effects.is_empty() => drop(self.silences.inc()),
            Ok(_) => {}
        }
        self.fuel.inc_by(answer.cost.fuel);
        if let Some(took) = answer.cost.took {
            self.seconds.observe(took.as_secs_f64());
        }
    }
}

pub(super) struct Rules {
    faves: Family<Channel, Counter>,
    calls: Family<Slot, Counter>,
    failures: Family<Slot, Counter>,
    silences: Family<Slot, Counter>,
    fuel: Family<Slot, Counter>,
    seconds: Family<SlotName, Histogram, fn() -> Histogram>,
    swaps: Family<Swap, Counter>,
    states: Family<Stands, Gauge>,
    /// The label sets that are on the page now.
    stands: Mutex<HashSet<Stands>>,
}

impl Rules {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let rules = Self {
            faves: Family::default(),
            calls: Family::default(),
            failures: Family::default(),
            silences: Family::default(),
            fuel: Family::default(),
            // From 4 microseconds to a quarter of a second, in steps of four.
            seconds: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.000_004, 4.0, 9))
            }),
            swaps: Family::default(),
            states: Family::default(),
            stands: Mutex::default(),
        };
        registry.register("faves", "Faves counted", rules.faves.clone());
        registry.register("rule_calls", "Calls of rules", rules.calls.clone());
        registry.register(
            "rule_failures",
            "Calls of rules that failed, whose effects were dropped",
            rules.failures.clone(),
        );
        registry.register(
            "rule_silent_calls",
            "Calls that a rule answered with nothing, such as a fave in its cooldown, or an order that is for moderators",
            rules.silences.clone(),
        );
        registry.register("rule_fuel", "Fuel that calls of rules used", rules.fuel.clone());
        registry.register_with_unit(
            "rule_call_duration",
            "Time of a call of a rule, with the start of an instance for it",
            Unit::Seconds,
            rules.seconds.clone(),
        );
        registry.register("rule_swaps", "Changes of slots, done and refused", rules.swaps.clone());
        registry.register(
            "rule_state",
            "1 for how a slot stands: live, probation, disabled or quarantined",
            rules.states.clone(),
        );
        rules
    }

    pub(super) fn faves_of(&self, channel: &Arc<str>) -> Counter {
        self.faves.get_or_create_owned(&Channel { channel: Arc::clone(channel) })
    }

    pub(super) fn slot(&self, channel: &Arc<str>, slot: &str) -> SlotFigures {
        let name = SlotName { slot: slot.to_owned() };
        let slot = Slot { channel: Arc::clone(channel), slot: slot.to_owned() };
        SlotFigures {
            calls: self.calls.get_or_create_owned(&slot),
            failures: self.failures.get_or_create_owned(&slot),
            silences: self.silences.get_or_create_owned(&slot),
            fuel: self.fuel.get_or_create_owned(&slot),
            seconds: self.seconds.get_or_create_owned(&name),
        }
    }

    pub(super) fn forget(&self, channel: &Arc<str>, slots: &[&str]) {
        self.faves.remove(&Channel { channel: Arc::clone(channel) });
        self.forget_slots(channel, slots);
    }

    pub(super) fn forget_slots(&self, channel: &Arc<str>, slots: &[&str]) {
        for slot in slots {
            let slot = Slot { channel: Arc::clone(channel), slot: (*slot).to_owned() };
            for family in [&self.calls, &self.failures, &self.silences, &self.fuel] {
                family.remove(&slot);
            }
        }
    }

    pub(super) fn swapped(&self, slot: &str, action: &str, outcome: &str) {
        let (slot, action, outcome) = (slot.to_owned(), action.to_owned(), outcome.to_owned());
        self.swaps.get_or_create(&Swap { slot, action, outcome }).inc();
    }

    pub(super) fn stand(&self, standings: &[SlotStatus]) {
        let stands = standings.iter().map(|SlotStatus { channel, slot, state, .. }| Stands {
            channel: channel.clone(),
            slot: slot.clone(),
            state,
        });
        let now: HashSet<Stands> = stands.collect();
        let mut known = self.stands.lock();
        // New ones first, so that a scrape in between finds each slot.
        for stands in &now {
            self.states.get_or_create(stands).set(1);
        }
        for gone in known.difference(&now) {
            self.states.remove(gone);
        }
        *known = now;
    }
}
