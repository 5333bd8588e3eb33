//! What a run asks of its engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::contract::digest::Digest;
use crate::contract::{Entry, Person, Settings, Tally};
use crate::engine::Engine;
use crate::error::StoreError;
use crate::store::checkpoint::texts;
use crate::store::record::{CountChange, Record};
use crate::store::tables::SlotKey;

/// What runs in a slot.
pub(crate) struct Running {
    pub(crate) digest: Digest,
    pub(crate) settings: Arc<Settings>,
    pub(crate) is_on: bool,
    /// The rule that it has taken the place of, while that goes on beside it.
    pub(crate) standby: Option<(Digest, Arc<Settings>)>,
}

impl Engine {
    /// The slots of a channel, in order.
    pub(crate) fn slots(&self, channel: &str) -> Vec<Arc<str>> {
        let slots = self.channels.get(channel).into_iter().flat_map(|chain| &chain.slots);
        slots.map(|slot| Arc::clone(&slot.key.slot)).collect()
    }

    /// What runs in a slot.
    pub(crate) fn running(&self, channel: &str, slot: &str) -> Option<Running> {
        let slot = self.slot(channel, slot)?;
        let standby = slot.standby.as_ref().map(|it| &it.rule);
        Some(Running {
            digest: slot.rule.digest(),
            settings: Arc::clone(&slot.rule.settings),
            is_on: slot.breaker.is_on(),
            standby: standby.map(|rule| (rule.digest(), Arc::clone(&rule.settings))),
        })
    }

    /// The state and the timers of a slot: what [`Engine::adopt`] takes over elsewhere.
    pub(crate) fn hand_over(
        &mut self,
        channel: &str,
        slot: &str,
    ) -> Result<Option<(Vec<Entry>, Vec<(String, u64)>)>, StoreError> {
        let Some(key) = self.slot(channel, slot).map(|slot| Arc::clone(&slot.key)) else {
            return Ok(None);
        };
        let entries = self.pending.overlay().scan_state(&key, "", None, usize::MAX)?;
        Ok(Some((entries, self.pending.timers.of(&key))))
    }

    /// What a slot shows.
    pub(crate) fn shown_by(
        &mut self,
        channel: &Arc<str>,
        slot: &str,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        Ok(texts(self.pending.overlay().shown_by(channel, slot)?))
    }

    /// What has been counted in a channel.
    pub(crate) fn tally(&mut self, channel: &Arc<str>) -> Result<Tally, StoreError> {
        let key = SlotKey { channel: Arc::clone(channel), slot: "".into(), generation: 0 };
        self.pending.overlay().channel_tally(&key)
    }

    /// Counts what was counted elsewhere, as a record says, but for people that are left out. What rules count comes of their calls.
    pub(crate) fn count_elsewhere(
        &mut self,
        channel: &Arc<str>,
        record: &Record,
        is_left_out: impl Fn(&Person) -> bool,
    ) -> Result<(), StoreError> {
        let change = record.counts();
        match change {
            CountChange::Imported(_) | CountChange::Joined(_) => {
                self.pending.overlay().apply(channel, &change, is_left_out)
            }
            CountChange::Faves { .. } | CountChange::Nothing => Ok(()),
        }
    }
}
