//! The log: every input that a replay needs, in order, in compressed blocks of one commit each.

use serde::{Deserialize, Serialize};

use crate::contract::{Event, Settings};
use crate::digest::Digest;
use crate::error::StoreError;

/// zstd's level: beyond 3 the Pi pays more than the SD card gains.
const LEVEL: i32 = 3;

/// What a block may hold when it is read back, in bytes; more means that it is damaged.
const LARGEST_BLOCK: usize = 256 << 20;

/// One input, or one fact that a replay must repeat. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// An event was taken in.
    Event {
        /// When, as the engine's monotone time of the channel.
        now: u64,
        /// The event.
        event: Box<Event>,
    },
    /// A timer came due.
    Timer {
        /// When it fired.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// The slot that had set it.
        slot: String,
        /// Its name.
        name: String,
    },
    /// A call of a rule had no effects, for the event before this record.
    Fault {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// The slot of the rule.
        slot: String,
        /// The component that ran.
        digest: Digest,
        /// Which of the event's calls of this slot: 0 for the event itself, then its faves in order.
        call: u32,
        /// What happened, for people.
        cause: String,
    },
    /// From here on these rules are live in a channel.
    Chain {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// Slot, component, settings, in the configured order.
        slots: Vec<(String, Digest, Settings)>,
    },
}

impl Record {
    /// The time of the record.
    pub fn at(&self) -> u64 {
        match self {
            Self::Event { now, .. }
            | Self::Timer { now, .. }
            | Self::Fault { now, .. }
            | Self::Chain { now, .. } => *now,
        }
    }
}

/// The records of one commit, as they are stored.
pub(crate) struct Block {
    pub(crate) first: u64,
    pub(crate) first_at: u64,
    pub(crate) last_at: u64,
    pub(crate) records: u32,
    pub(crate) compressed: Vec<u8>,
}

impl Block {
    /// Compresses the records, the first of which has this number. None when there are none.
    pub(crate) fn encode(first: u64, records: &[Record]) -> Result<Option<Self>, StoreError> {
        let times = || records.iter().map(Record::at);
        let (Some(first_at), Some(last_at)) = (times().min(), times().max()) else {
            return Ok(None);
        };
        let plain = rmp_serde::to_vec_named(records).map_err(damaged)?;
        let compressed = zstd::bulk::compress(&plain, LEVEL).map_err(damaged)?;
        let records = u32::try_from(records.len()).map_err(damaged)?;
        Ok(Some(Self { first, first_at, last_at, records, compressed }))
    }

    /// The block as a row of the table.
    pub(crate) fn row(&self) -> (u64, u64, u32, &[u8]) {
        (self.first_at, self.last_at, self.records, &self.compressed)
    }

    pub(crate) fn decode(compressed: &[u8]) -> Result<Vec<Record>, StoreError> {
        let size = zstd::bulk::Decompressor::upper_bound(compressed)
            .unwrap_or(LARGEST_BLOCK)
            .min(LARGEST_BLOCK);
        let plain = zstd::bulk::decompress(compressed, size).map_err(damaged)?;
        rmp_serde::from_slice(&plain).map_err(damaged)
    }
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { what: "block of the log", problem: error.to_string() }
}
