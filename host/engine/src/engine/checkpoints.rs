//! Keeps the state of all rules of a channel from time to time, with the place of the log that it is of.

use std::sync::Arc;

use crate::contract::Happening;
use crate::engine::Engine;
use crate::error::StoreError;
use crate::store::checkpoint::{Checkpoint, SlotState, texts};
use crate::store::log::{encode, pack};
use crate::store::record::Record;

/// How often the state of a channel is kept, in milliseconds, while something happens in it.
const EVERY_MS: u64 = 3_600_000;

impl Engine {
    /// Keeps the state of each channel whose turn it is: after a start of the stream, and once an hour.
    pub(crate) fn keep_checkpoints(&mut self, next_record: u64) -> Result<(), StoreError> {
        let Some(known) = &self.checkpoints else { return Ok(()) };
        let (mut due, mut late) = (Vec::new(), Vec::new());
        for channel in self.channels.keys() {
            let mut records =
                self.pending.records().iter().filter(|record| record.channel() == &**channel);
            let is_old = known.get(channel).is_none_or(|at| at + EVERY_MS <= self.now);
            let on_trial = self.channels[channel].slots.iter().any(|slot| slot.standby.is_some());
            let turn = if is_old { records.next().is_some() } else { records.any(starts) };
            match (turn, on_trial) {
                (true, false) => due.push(Arc::clone(channel)),
                // A run has to come by the swap to have the rule before at hand; so this waits for the end of the probation.
                (true, true) => late.push(Arc::clone(channel)),
                (false, _) => {}
            }
        }
        if let Some(known) = &mut self.checkpoints {
            known.extend(late.into_iter().map(|channel| (channel, 0)));
        }
        for channel in due {
            let state = self.checkpoint(&channel)?;
            let bytes = pack(&encode(&state)?)?;
            let row = (Arc::clone(&channel), next_record, self.now, bytes);
            self.pending.overlay().admin_rows().checkpoints.push(row);
            if let Some(known) = &mut self.checkpoints {
                known.insert(channel, self.now);
            }
        }
        Ok(())
    }

    pub(crate) fn checkpoint(&mut self, channel: &Arc<str>) -> Result<Checkpoint, StoreError> {
        let stream = self.streams.get(channel).map(|stream| (stream.live, stream.since));
        let mut slots = Vec::new();
        for slot in self.channels.get(channel).iter().flat_map(|channel| &channel.slots) {
            let overlay = self.pending.read();
            let description = slot.rule.description();
            slots.push(SlotState {
                slot: slot.key.slot.to_string(),
                digest: slot.rule.digest(),
                settings: (*slot.rule.settings).clone(),
                version: description.state_version,
                rule: description.name.clone(),
                on: slot.breaker.is_on(),
                entries: overlay.scan_state(&slot.key, "", None, usize::MAX)?,
                alarms: self.pending.timers.of(&slot.key),
                shown: texts(overlay.shown_by(channel, &slot.key.slot)?),
            });
        }
        Ok(Checkpoint { at: self.now, stream, slots })
    }
}

fn starts(record: &Record) -> bool {
    matches!(record, Record::Event { event, .. } if matches!(event.what, Happening::StreamStart))
}
