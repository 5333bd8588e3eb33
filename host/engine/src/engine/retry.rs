//! Calls a rule again for an event that it had failed on.

use std::sync::Arc;

use crate::chain::slot::Slot;
use crate::chain::{Decision, For, taken};
use crate::contract::{Event, Role};
use crate::engine::Engine;
use crate::engine::request::ChangeError;
use crate::error::StoreError;
use crate::store::dead_letter::DeadLetter;
use crate::store::record::Record;

impl Engine {
    /// Runs a dead letter again, with what is live now. It is gone then; a call that fails again leaves a new one.
    pub fn retry(&mut self, number: u64, letter: &DeadLetter) -> Result<Decision, ChangeError> {
        let DeadLetter { channel, slot, event, .. } = letter;
        let role = self.slot(channel, slot).map(Slot::role);
        if letter.call > 0 && role == Some(Role::Multiplier) {
            let problem = "the fave has been counted without this multiplier".to_owned();
            return Err(ChangeError::Rejected(problem));
        }
        let is_taken = |live: &Slot| taken(live, event, For::Again(&live.key)).is_some();
        if !self.slot(channel, slot).is_some_and(is_taken) {
            let problem =
                format!("the rule that is live in slot {slot} does not take such an event");
            return Err(ChangeError::Rejected(problem));
        }
        match self.call_again(channel, slot, event)? {
            Some(decision) => {
                self.pending.overlay().admin_rows().answered.push(number);
                Ok(decision)
            }
            None => Err(ChangeError::Rejected(format!("#{channel} has no slot {slot} that runs"))),
        }
    }

    /// Calls a rule again for an event that it had failed on, in the form in which it takes it. None: there is no such slot that runs.
    pub(crate) fn call_again(
        &mut self,
        channel: &str,
        slot: &str,
        event: &Event,
    ) -> Result<Option<Decision>, StoreError> {
        let now = self.now;
        let Some(chain) = self.channels.get_mut(channel) else { return Ok(None) };
        let found = chain.slots.iter().find(|it| *it.key.slot == *slot && it.breaker.is_on());
        let Some(key) = found.map(|it| Arc::clone(&it.key)) else { return Ok(None) };
        let place = self.pending.records().len();
        let target = For::Again(&key);
        let decision = chain.decide(&self.sandbox, &mut self.pending, now, event, target)?;
        self.pending.record_at(place, || {
            let (channel, slot) = (channel.to_owned(), slot.to_owned());
            Record::Retried { now, channel, slot, event: Box::new(event.clone()) }
        });
        self.trip_breakers(&decision)?;
        Ok(Some(decision))
    }
}
