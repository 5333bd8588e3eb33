//! The timers that rules have set, in the order in which they come due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::store::tables::SlotKey;

/// The least time ahead that a timer can be set, in milliseconds: a rule that always wakes itself costs ten calls a second.
pub(crate) const LEAST_WAIT: u64 = 100;

/// Every timer that is set, once by owner and once by time.
#[derive(Default)]
pub(crate) struct Timers {
    set: BTreeMap<(Arc<SlotKey>, String), u64>,
    order: BTreeSet<(u64, Arc<SlotKey>, String)>,
}

impl Timers {
    /// Sets a timer, or cancels it.
    pub(crate) fn set(&mut self, slot: &Arc<SlotKey>, name: &str, at: Option<u64>) {
        let key = (Arc::clone(slot), name.to_owned());
        if let Some(before) = self.set.remove(&key) {
            self.order.remove(&(before, Arc::clone(slot), name.to_owned()));
        }
        if let Some(at) = at {
            self.order.insert((at, Arc::clone(slot), name.to_owned()));
            self.set.insert(key, at);
        }
    }

    pub(crate) fn is_set(&self, slot: &Arc<SlotKey>, name: &str) -> bool {
        self.set.contains_key(&(Arc::clone(slot), name.to_owned()))
    }

    /// The timers of a slot.
    pub(crate) fn of(&self, slot: &Arc<SlotKey>) -> Vec<(String, u64)> {
        self.set
            .range((Arc::clone(slot), String::new())..)
            .take_while(|((owner, _), _)| owner == slot)
            .map(|((_, name), at)| (name.clone(), *at))
            .collect()
    }

    /// A slot's timers will not fire any more.
    pub(crate) fn forget(&mut self, slot: &Arc<SlotKey>) {
        for (name, _) in self.of(slot) {
            self.set(slot, &name, None);
        }
    }

    /// How many timers a slot has set.
    pub(crate) fn count(&self, slot: &Arc<SlotKey>) -> usize {
        self.set
            .range((Arc::clone(slot), String::new())..)
            .take_while(|((owner, _), _)| owner == slot)
            .count()
    }

    /// When the next one comes due.
    pub(crate) fn next(&self) -> Option<u64> {
        self.order.first().map(|(at, ..)| *at)
    }

    /// Takes out one timer that is due.
    pub(crate) fn pop_due(&mut self, now: u64) -> Option<(Arc<SlotKey>, String)> {
        if self.next()? > now {
            return None;
        }
        let (_, slot, name) = self.order.pop_first()?;
        self.set.remove(&(Arc::clone(&slot), name.clone()));
        Some((slot, name))
    }
}
