//! The state of all rules of a channel at one place of the log: where a run can begin.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::contract::digest::Digest;
use crate::contract::{Entry, Happening, Settings};
use crate::engine::Engine;
use crate::error::StoreError;
use crate::store::log::{Record, decode, encode, pack, unpack};
use crate::store::tables::{SlotKey, Snapshot};

/// How often the state of a channel is kept, in milliseconds, while something happens in it.
const EVERY_MS: u64 = 3_600_000;

/// What one slot had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SlotState {
    pub(crate) slot: String,
    pub(crate) digest: Digest,
    pub(crate) settings: Settings,
    /// The state version and the name of the rule.
    pub(crate) version: u32,
    pub(crate) rule: String,
    /// Whether it was called.
    pub(crate) on: bool,
    pub(crate) entries: Vec<Entry>,
    pub(crate) alarms: Vec<(String, u64)>,
    /// What it showed, by output.
    pub(crate) shown: BTreeMap<String, String>,
}

/// What all slots of a channel had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// In milliseconds since 1970.
    pub(crate) at: u64,
    /// Since when the stream was live or not, as far as somebody had said.
    pub(crate) stream: Option<(bool, u64)>,
    pub(crate) slots: Vec<SlotState>,
}

impl Engine {
    /// Keeps the state of each channel whose turn it is: after a start of the stream, and once an hour.
    pub(crate) fn keep_checkpoints(&mut self, next_record: u64) -> Result<(), StoreError> {
        let Some(known) = &self.checkpoints else { return Ok(()) };
        let (mut due, mut late) = (Vec::new(), Vec::new());
        for channel in self.channels.keys() {
            let mut records =
                self.pending.records.iter().filter(|record| record.channel() == &**channel);
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
            self.pending.overlay().kept.checkpoints.push(row);
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
            let overlay = self.pending.overlay.as_ref();
            let overlay = overlay.expect("the overlay is lent only while a guest runs");
            let description = slot.rule.description();
            slots.push(SlotState {
                slot: slot.key.slot.to_string(),
                digest: slot.rule.digest(),
                settings: (*slot.rule.settings).clone(),
                version: description.state_version,
                rule: description.name.clone(),
                on: slot.conduct.is_on(),
                entries: overlay.scan_state(&slot.key, "", None, usize::MAX)?,
                alarms: self.pending.timers.of(&slot.key),
                shown: texts(overlay.shown_by(channel, &slot.key.slot)?),
            });
        }
        Ok(Checkpoint { at: self.now, stream, slots })
    }
}

/// The outputs that are not taken back.
pub(crate) fn texts(shown: BTreeMap<String, Option<String>>) -> BTreeMap<String, String> {
    shown.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

fn starts(record: &Record) -> bool {
    matches!(record, Record::Event { event, .. } if matches!(event.what, Happening::StreamStart))
}

impl Snapshot {
    /// When the state of each channel was last kept.
    pub(crate) fn newest_checkpoints(&self) -> Result<BTreeMap<Arc<str>, u64>, StoreError> {
        let mut newest = BTreeMap::new();
        for row in redb::ReadableTable::iter(&self.checkpoints)? {
            let (key, value) = row?;
            newest.insert(Arc::from(key.value().0), value.value().0);
        }
        Ok(newest)
    }

    /// The last state of a channel that was kept before this time, and the number of the record that came next.
    pub(crate) fn checkpoint_before(
        &self,
        channel: &str,
        at: u64,
    ) -> Result<Option<(u64, Checkpoint)>, StoreError> {
        self.last_checkpoint(channel, |_, kept| kept <= at)
    }

    /// The last state of a channel of which this holds, by the number of the next record and the time: of none after one of which it
    /// does not.
    pub(crate) fn last_checkpoint(
        &self,
        channel: &str,
        is_wanted: impl Fn(u64, u64) -> bool,
    ) -> Result<Option<(u64, Checkpoint)>, StoreError> {
        let mut found = None;
        for row in self.checkpoints.range((channel, 0)..=(channel, u64::MAX))? {
            let (key, value) = row?;
            if !is_wanted(key.value().1, value.value().0) {
                break;
            }
            found = Some((key.value().1, value.value().1.to_vec()));
        }
        found.map(|(number, bytes)| Ok((number, decode(&unpack(&bytes)?)?))).transpose()
    }

    /// When the oldest state of a channel was kept.
    pub fn first_checkpoint(&self, channel: &str) -> Result<Option<u64>, StoreError> {
        match self.checkpoints.range((channel, 0)..=(channel, u64::MAX))?.next() {
            Some(row) => Ok(Some(row?.1.value().0)),
            None => Ok(None),
        }
    }

    /// The state of a slot's generation.
    pub(crate) fn entries(&self, slot: &SlotKey) -> Result<Vec<Entry>, StoreError> {
        self.rows_from(slot, "")?.collect()
    }
}
