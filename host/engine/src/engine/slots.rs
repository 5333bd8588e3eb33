//! Rules that come and go while the engine runs, each in a slot of its own. A run adds the slots that the log tells of.

use std::sync::Arc;

use tracing::info;

use crate::chain::slot::Slot;
use crate::chain::stream::HOST;
use crate::contract::digest::Digest;
use crate::engine::Engine;
use crate::engine::request::{ChangeError, ChangeRequest};
use crate::engine::status::SlotStatus;
use crate::error::{SlotError, StoreError};
use crate::guest::rule::Rule;
use crate::store::changes::{AddedSlot, Status};
use crate::store::tables::SlotKey;

/// Owns the state of a slot whose rule was removed. No rule can have this name.
const NOBODY: &str = "(removed)";

impl Engine {
    /// Whether a slot may be added, as things are.
    pub fn may_add_slot(
        &self,
        channel: &str,
        slot: &str,
        added: &AddedSlot,
    ) -> Result<(), ChangeError> {
        let Some(chain) = self.channels.get(channel) else {
            return Err(ChangeError::Rejected(format!("there is no channel {channel:?}")));
        };
        if self.slot(channel, slot).is_some() {
            let problem = format!(
                "#{channel} has a rule in slot {slot} already; deploy puts another one in its place"
            );
            return Err(ChangeError::Rejected(problem));
        }
        match &added.after {
            Some(after) if self.slot(channel, after).is_none() => {
                Err(ChangeError::no_slot_of(chain, after))
            }
            _ => Ok(()),
        }
    }

    /// Adds a rule in a slot that the channel does not have. From the next event on it is called.
    pub fn add_slot(
        &mut self,
        channel: &Arc<str>,
        slot: &str,
        rule: Rule,
        added: AddedSlot,
        order: &ChangeRequest,
    ) -> Result<(), ChangeError> {
        self.may_add_slot(channel, slot, &added)?;
        let (digest, base) = (rule.digest(), rule.base()?);
        let mut opened = self.open_new(channel, slot, rule)?;
        let after = added.after.clone();
        (opened.base, opened.added) = (Some(base), Some(added));
        let Some(chain) = self.channels.get_mut(channel) else {
            return Err(ChangeError::no_slot(channel, slot));
        };
        let place =
            after.and_then(|after| chain.slots.iter().position(|it| *it.key.slot == *after));
        chain.slots.insert(place.map_or(chain.slots.len(), |place| place + 1), opened);
        info!(channel = &**channel, rule = slot, %digest, by = order.by, "rule added");
        Ok(self.changed(channel, slot, None, order, false)?)
    }

    /// Removes a rule that was added while running. Its state and its dead letters go with it; what it has counted stays.
    pub fn remove_slot(
        &mut self,
        channel: &Arc<str>,
        slot: &str,
        order: &ChangeRequest,
    ) -> Result<(), ChangeError> {
        let Some(found) = self.slot(channel, slot) else {
            return Err(ChangeError::no_slot(channel, slot));
        };
        if found.added.is_none() {
            let problem = format!(
                "the configuration has the slot {slot}: take its [[rule]] out of there, or disable it"
            );
            return Err(ChangeError::Rejected(problem));
        }
        let from = found.rule.digest();
        self.take_out(channel, slot)?;
        self.pending.drop_dead_letters((channel, slot), |_| true)?;
        let status = SlotStatus::output_of(slot);
        self.pending.overlay().show(channel, status, HOST.into(), None);
        let whose = (Arc::clone(channel), Arc::from(slot));
        self.pending.overlay().admin_rows().changed.insert(whose, None);
        info!(channel = &**channel, rule = slot, by = order.by, "rule removed");
        self.removed(channel, slot, from, order);
        Ok(())
    }

    /// Takes a slot out of its chain, with its state, its timers and what it shows. A run does so where the log says it.
    pub(crate) fn take_out(&mut self, channel: &Arc<str>, slot: &str) -> Result<(), StoreError> {
        self.take_back(channel, slot, |_| true)?;
        let Some(chain) = self.channels.get_mut(channel) else { return Ok(()) };
        let Some(place) = chain.slots.iter().position(|it| *it.key.slot == *slot) else {
            return Ok(());
        };
        let gone = chain.slots.remove(place);
        // Whose rows are being removed is no owner: a rule that comes into this slot later begins in a generation of its own.
        self.pending.overlay().admin_rows().own(&gone.key, 0, NOBODY);
        for standby in gone.standby.iter().map(|it| &it.key).chain([&gone.key]) {
            self.pending.timers.forget(standby);
            self.pending.remove_later((**standby).clone());
        }
        Ok(())
    }

    fn removed(&mut self, channel: &Arc<str>, slot: &str, from: Digest, order: &ChangeRequest) {
        self.audit(channel, slot, Some(from), None, order, None);
        self.record_chain(channel, None, Some(slot));
        self.slot_changes += 1;
        self.pending.mark_urgent();
    }

    /// Gives a run a slot that it does not have yet, at its place in the chain that the log tells of.
    pub(crate) fn add_logged_slot(
        &mut self,
        channel: &Arc<str>,
        slot: &str,
        rule: Rule,
        after: Option<&str>,
    ) -> Result<(), SlotError> {
        let opened = self.open_new(channel, slot, rule)?;
        let Some(chain) = self.channels.get_mut(channel) else { return Ok(()) };
        let before = after.and_then(|it| chain.slots.iter().position(|slot| *slot.key.slot == *it));
        chain.slots.insert(before.map_or(0, |place| place + 1), opened);
        Ok(())
    }

    /// Opens a slot that the channel does not have yet.
    fn open_new(&mut self, channel: &Arc<str>, slot: &str, rule: Rule) -> Result<Slot, SlotError> {
        let key = SlotKey { channel: Arc::clone(channel), slot: slot.into(), generation: 0 };
        Slot::open(&self.sandbox, key, rule, Status::On, &mut self.pending, self.now)
    }
}
