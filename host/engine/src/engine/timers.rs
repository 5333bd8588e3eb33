//! Timers that come due, and when that is.

use std::sync::Arc;

use crate::chain::{Decision, For};
use crate::contract::{Event, Happening};
use crate::engine::Engine;
use crate::error::StoreError;
use crate::store::record::Record;
use crate::store::tables::SlotKey;

impl Engine {
    /// Fires every timer that is due. One that came due long ago fires once, with the true time.
    pub fn fire(&mut self, now: u64) -> Result<Vec<Decision>, StoreError> {
        let mut decisions = Vec::new();
        while let Some((slot, name)) = self.pending.timers.pop_due(now) {
            self.now = self.now.max(now);
            decisions.extend(self.fire_one(&slot, name)?);
        }
        self.now = self.now.max(now);
        self.end_rested();
        self.end_probations()?;
        if self.has_to_close()? {
            self.pending.mark_dirty();
        }
        Ok(decisions)
    }

    /// Fires one timer when the log says so. None: nobody has set it.
    pub(crate) fn fire_as_logged(
        &mut self,
        now: u64,
        channel: &str,
        slot: &str,
        name: &str,
    ) -> Result<Option<Decision>, StoreError> {
        self.now = self.now.max(now);
        let Some(key) = self.slot(channel, slot).map(|slot| Arc::clone(&slot.key)) else {
            return Ok(None);
        };
        if !self.pending.timers.is_set(&key, name) {
            return Ok(None);
        }
        self.pending.timers.set(&key, name, None);
        self.fire_one(&key, name.to_owned())
    }

    fn fire_one(
        &mut self,
        slot: &Arc<SlotKey>,
        name: String,
    ) -> Result<Option<Decision>, StoreError> {
        self.pending.overlay().set_timer(slot, name.clone(), None);
        let Some(channel) = self.channels.get_mut(&slot.channel) else { return Ok(None) };
        let is_live = channel.slots.iter().any(|it| it.key == *slot);
        let now = self.now;
        let event = Event {
            id: format!("timer:{}:{name}:{now}", slot.slot),
            channel: channel.name.to_string(),
            at: now,
            what: Happening::Timer(name.clone()),
        };
        let place = self.pending.records().len();
        let target = For::Slot(slot);
        let decision = channel.decide(&self.sandbox, &mut self.pending, now, &event, target)?;
        if is_live {
            self.pending.record_at(place, || {
                let (channel, slot) = (slot.channel.to_string(), slot.slot.to_string());
                Record::Timer { now, channel, slot, name }
            });
        }
        self.trip_breakers(&decision)?;
        Ok(is_live.then_some(decision))
    }

    /// When the next timer comes due, in milliseconds since 1970.
    pub fn next_wake(&self) -> Option<u64> {
        self.pending.timers.next().into_iter().chain(self.next_probation_end()).min()
    }
}
