//! The log: every input that a replay needs, in order, in compressed blocks of one commit each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::contract::{EmoteProvider, Entry, Event, Fave, Settings};
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
    /// Faves were counted, for the event or timer before this record. They follow from it; they are kept so that they can be taken
    /// back without the rules of that time.
    Faves {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// Id of the event.
        event: String,
        /// What was counted.
        faves: Vec<Counted>,
    },
    /// Events were taken back: a run leaves them out, wherever they stand before this record.
    Undone {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// Ids of the events that a run leaves out.
        events: Vec<String>,
        /// The component that a run does without: what is live now stands in for it.
        without: Option<Digest>,
        /// The faves that do not count any more.
        taken: Vec<Fave>,
        /// The faves that count instead.
        given: Vec<Fave>,
    },
    /// A rule was called again for an event that it had failed on.
    Retried {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// The slot of the rule.
        slot: String,
        /// The event, in the form in which the rule takes it.
        event: Box<Event>,
    },
    /// A rule goes live with a state that it has made as a shadow. The chain with it comes next.
    Handed {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// The slot.
        slot: String,
        /// Its state.
        entries: Vec<Entry>,
        /// Its timers.
        alarms: Vec<(String, u64)>,
        /// What it shows.
        shown: BTreeMap<String, String>,
    },
    /// From here on these rules are live in a channel.
    Chain {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// Slot, component, settings, in the configured order.
        slots: Vec<(String, Digest, Settings)>,
        /// The slot in which the rule before, which had gone on beside the new one, is live again.
        #[serde(default)]
        rolled_back: Option<String>,
    },
    /// The emotes of a provider have changed. Nothing follows from it: the lines of chat have their emotes.
    Emotes {
        /// When.
        now: u64,
        /// Login of the channel; empty for those that every channel has.
        channel: String,
        /// Whose emotes.
        provider: EmoteProvider,
        /// Those that came: what is typed for each, and the provider's id.
        added: Vec<(String, String)>,
        /// Those that went.
        removed: Vec<(String, String)>,
    },
}

/// A fave that was counted, and who asked for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// The slot of the handler.
    pub slot: String,
    /// Its component.
    pub digest: Digest,
    /// As it was counted, with its final weight.
    pub fave: Fave,
}

impl Record {
    /// The channel that the record is of.
    pub fn channel(&self) -> &str {
        match self {
            Self::Event { event, .. } => &event.channel,
            Self::Timer { channel, .. }
            | Self::Fault { channel, .. }
            | Self::Faves { channel, .. }
            | Self::Undone { channel, .. }
            | Self::Retried { channel, .. }
            | Self::Handed { channel, .. }
            | Self::Chain { channel, .. }
            | Self::Emotes { channel, .. } => channel,
        }
    }

    /// The time of the record.
    pub fn at(&self) -> u64 {
        match self {
            Self::Event { now, .. }
            | Self::Timer { now, .. }
            | Self::Fault { now, .. }
            | Self::Faves { now, .. }
            | Self::Undone { now, .. }
            | Self::Retried { now, .. }
            | Self::Handed { now, .. }
            | Self::Chain { now, .. }
            | Self::Emotes { now, .. } => *now,
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
        let compressed = pack(&rmp_serde::to_vec_named(records).map_err(damaged)?)?;
        let records = u32::try_from(records.len()).map_err(damaged)?;
        Ok(Some(Self { first, first_at, last_at, records, compressed }))
    }

    /// The block as a row of the table.
    pub(crate) fn row(&self) -> (u64, u64, u32, &[u8]) {
        (self.first_at, self.last_at, self.records, &self.compressed)
    }

    pub(crate) fn decode(compressed: &[u8]) -> Result<Vec<Record>, StoreError> {
        decode(&unpack(compressed)?)
    }
}

/// A value as the store keeps those that have no columns of their own.
pub(crate) fn encode<V: Serialize>(value: &V) -> Result<Vec<u8>, StoreError> {
    rmp_serde::to_vec_named(value).map_err(damaged)
}

/// What [`encode`] made, compressed.
pub(crate) fn pack(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    zstd::bulk::compress(bytes, LEVEL).map_err(damaged)
}

pub(crate) fn unpack(compressed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let size = zstd::bulk::Decompressor::upper_bound(compressed)
        .unwrap_or(LARGEST_BLOCK)
        .min(LARGEST_BLOCK);
    zstd::bulk::decompress(compressed, size).map_err(damaged)
}

pub(crate) fn decode<V: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<V, StoreError> {
    rmp_serde::from_slice(bytes).map_err(damaged)
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { what: "record", problem: error.to_string() }
}
