//! What is done about rules that fail again and again, and about those that have been on probation for long enough.

use std::sync::Arc;

use tracing::{error, info};

use crate::chain::Decision;
use crate::chain::breaker::Trip;
use crate::chain::slot::Answer;
use crate::engine::Engine;
use crate::engine::request::{ChangeRequest, unless_rejected};
use crate::error::StoreError;
use crate::store::changes::{Action, Status};
use crate::store::tables::SlotKey;

/// Who has done it, in the audit log.
const HEATD: &str = "heatd";

impl Engine {
    /// Rolls back or turns off the rules that failed too often, now that the event is decided.
    pub(crate) fn trip_breakers(&mut self, decision: &Decision) -> Result<(), StoreError> {
        if self.checkpoints.is_none() {
            return Ok(());
        }
        let is_bad = |answer: &&Answer| answer.outcome.is_err() || answer.cost.is_slow;
        for answer in decision.answers.iter().filter(is_bad) {
            let (channel, slot) = (&decision.channel, &answer.slot);
            let Some(found) = self.slot(channel, slot) else { continue };
            let (trip, why) =
                (found.breaker.trip(found.rule.limits.faults), found.breaker.last_fault.clone());
            let has_standby = found.standby.is_some();
            match trip {
                Trip::Fine => {}
                Trip::RollBack if has_standby => {
                    error!(
                        channel = &**channel,
                        rule = &**slot,
                        why,
                        "the new rule fails; the rule before is live again"
                    );
                    let order = ChangeRequest::new(Action::RollBack, HEATD, &why);
                    // It has a rule to go back to, and nothing else can refuse it.
                    unless_rejected(self.restore_standby(channel, slot, &order))?;
                }
                Trip::RollBack | Trip::Quarantine => {
                    error!(
                        channel = &**channel,
                        rule = &**slot,
                        why,
                        "the rule fails again and again; it is turned off"
                    );
                    let order = ChangeRequest::new(Action::Quarantine, HEATD, &why);
                    // It is on, and a quarantine is refused for nothing else.
                    unless_rejected(self.set_status(
                        channel,
                        slot,
                        Status::Quarantined(why),
                        &order,
                    ))?;
                }
            }
        }
        Ok(())
    }

    /// When the next probation may end.
    pub(crate) fn next_probation_end(&self) -> Option<u64> {
        let slots = self.channels.values().flat_map(|channel| &channel.slots);
        slots.filter_map(|slot| slot.breaker.probation_ends()).min()
    }

    /// Time has come to this.
    pub(crate) fn advance_to(&mut self, now: u64) -> Result<(), StoreError> {
        self.now = self.now.max(now);
        self.end_probations()
    }

    /// Lets rules stay whose probation is over.
    pub(crate) fn end_probations(&mut self) -> Result<(), StoreError> {
        let now = self.now;
        let slots = self.channels.values().flat_map(|channel| &channel.slots);
        let over: Vec<_> = slots
            .filter(|slot| slot.breaker.probation_ends().is_some_and(|ends| ends <= now))
            .map(|slot| Arc::clone(&slot.key))
            .collect();
        over.iter().try_for_each(|key| self.end_probation(key))
    }

    /// Lets a rule stay, and the rule before go.
    pub(crate) fn end_probation(&mut self, key: &SlotKey) -> Result<(), StoreError> {
        let (channel, name) = (&key.channel, &key.slot);
        let Some(slot) = self.slot_mut(channel, name) else { return Ok(()) };
        let probation = slot.breaker.probation.take();
        let standby = slot.standby.take();
        info!(channel = &**channel, rule = &**name, digest = %slot.rule.digest(), "the new rule stays");
        let this = slot.rule.description().name.clone();
        if let (Some(probation), Some(standby)) = (probation, standby) {
            let other = standby.rule.description().name != this;
            self.pending.remove_later((*standby.key).clone());
            // What only the rule before has shown would stand there for ever.
            if other {
                self.take_back(channel, name, |output| !probation.shown.contains(output))?;
            }
        }
        self.show_slot_status(channel, name);
        Ok(())
    }
}
