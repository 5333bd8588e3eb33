//! Dead letters as rows: calls that had no effects, with the events that they were for, so that they can be run again.

use redb::ReadableTable;
use serde::{Deserialize, Serialize};

use crate::contract::Event;
use crate::contract::digest::Digest;
use crate::error::StoreError;
use crate::store::log::decode;
use crate::store::snapshot::Snapshot;

/// How many are kept; then the oldest go.
pub(crate) const MOST_DEAD_LETTERS: u64 = 1_000;

/// A call of a rule that had no effects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// Login of the channel.
    pub channel: String,
    /// The slot.
    pub slot: String,
    /// The component that failed.
    pub digest: Digest,
    /// 0 for the event itself, then its faves in order.
    pub call: u32,
    /// What went wrong.
    pub cause: String,
    /// The event, in the form in which the rule was told it.
    pub event: Event,
}

impl Snapshot {
    /// The dead letters, oldest first, each with its number.
    pub fn dead_letters(&self) -> Result<Vec<(u64, DeadLetter)>, StoreError> {
        self.tables
            .dead_letters()?
            .iter()?
            .map(|row| {
                let (number, letter) = row?;
                Ok((number.value(), decode(letter.value())?))
            })
            .collect()
    }
}
