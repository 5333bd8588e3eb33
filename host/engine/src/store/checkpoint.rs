//! Checkpoints as rows: the state of all rules of a channel at one place of the log, where a run can begin.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::ReadableTable;
use serde::{Deserialize, Serialize};

use crate::contract::digest::Digest;
use crate::contract::{Entry, Settings};
use crate::error::StoreError;
use crate::store::log::{decode, unpack};
use crate::store::snapshot::Snapshot;
use crate::store::tables::SlotKey;

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

/// The outputs that are not taken back.
pub(crate) fn texts(shown: BTreeMap<String, Option<String>>) -> BTreeMap<String, String> {
    shown.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

impl Snapshot {
    /// When the state of each channel was last kept.
    pub(crate) fn newest_checkpoints(&self) -> Result<BTreeMap<Arc<str>, u64>, StoreError> {
        let mut newest = BTreeMap::new();
        for row in self.tables.checkpoints()?.iter()? {
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

    /// The newest checkpoint for which `is_wanted(next_record, time)` is true. Stops at the first one for which it is false.
    pub(crate) fn last_checkpoint(
        &self,
        channel: &str,
        is_wanted: impl Fn(u64, u64) -> bool,
    ) -> Result<Option<(u64, Checkpoint)>, StoreError> {
        let mut found = None;
        for row in self.tables.checkpoints()?.range((channel, 0)..=(channel, u64::MAX))? {
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
        match self.tables.checkpoints()?.range((channel, 0)..=(channel, u64::MAX))?.next() {
            Some(row) => Ok(Some(row?.1.value().0)),
            None => Ok(None),
        }
    }

    /// The state of a slot's generation.
    pub(crate) fn entries(&self, slot: &SlotKey) -> Result<Vec<Entry>, StoreError> {
        self.rows_from(slot, "")?.collect()
    }
}
