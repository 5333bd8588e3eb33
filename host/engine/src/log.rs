//! The log: every input that a replay needs, in order, in compressed blocks. A commit has one, or several when it is large.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::contract::{EmoteProvider, Entry, Event, Fave, Happening, Person, Settings};
use crate::digest::Digest;
use crate::error::StoreError;

/// zstd's level: beyond 3 the Pi pays more than the SD card gains.
const LEVEL: i32 = 3;

/// A large value has pages of its own in the store, as many as the next power of two: a block that is a little larger than this would take
/// twice as much of the disk.
const PAGES: usize = 64 << 10;

/// So much of the pages a block aims at: how well records compress is not known before.
const AIM: f64 = 0.93;

/// How many times smaller records get, until it is known.
const USUAL_RATIO: f64 = 6.0;

/// What a block may hold when it is read back, in bytes; more means that it is damaged.
pub(crate) const LARGEST_BLOCK: usize = 256 << 20;

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
    /// Nothing was heard of a channel's chat for a while: what was said there meanwhile is in no log. A mark for people; a run
    /// makes nothing of it.
    Gap {
        /// When the channel was heard again.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// Since when it was not heard.
        from: u64,
        /// Why, for people.
        why: String,
    },
    /// Counts that were made elsewhere were added.
    Imported {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// Where they come from.
        source: String,
        /// What was added.
        counts: Vec<Imported>,
    },
    /// Somebody of whom an import knew only the login is known by id from here on, with what was imported.
    Joined {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// Who it is. What is theirs from here on was that of their login, as an import has it.
        person: Person,
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

/// Faves of one person for one item that were counted elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// Whose.
    pub person: Person,
    /// For what.
    pub item: String,
    /// How many.
    pub faves: u64,
    /// The sum of their weights, in thousandths.
    pub weight: i64,
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
            | Self::Gap { channel, .. }
            | Self::Imported { channel, .. }
            | Self::Joined { channel, .. }
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
            | Self::Gap { now, .. }
            | Self::Imported { now, .. }
            | Self::Joined { now, .. }
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

/// How well the last records compressed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio(f64);

impl Default for Ratio {
    fn default() -> Self {
        Self(USUAL_RATIO)
    }
}

impl Block {
    /// Compresses the records of a commit, the first of which has this number, into blocks that fill the pages of the store.
    pub(crate) fn encode_all(
        first: u64,
        records: &[Record],
        ratio: &mut Ratio,
    ) -> Result<Vec<Self>, StoreError> {
        let (mut blocks, mut start, mut bytes) = (Vec::new(), 0, Vec::new());
        for (place, record) in (1..).zip(records) {
            rmp_serde::encode::write_named(&mut bytes, record).map_err(damaged)?;
            let is_full = bytes.len() as f64 >= PAGES as f64 * AIM * ratio.0;
            if is_full || place == records.len() {
                let block = Self::of(first + start as u64, &records[start..place], &bytes)?;
                if is_full {
                    let found = bytes.len() as f64 / block.compressed.len() as f64;
                    ratio.0 = found.clamp(2.0, 30.0);
                }
                blocks.push(block);
                start = place;
                bytes.clear();
            }
        }
        Ok(blocks)
    }

    /// A block of these records, of which there is at least one, as they are encoded one after the other.
    fn of(first: u64, records: &[Record], encoded: &[u8]) -> Result<Self, StoreError> {
        let times = || records.iter().map(Record::at);
        let (first_at, last_at) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        let count = u32::try_from(records.len()).map_err(damaged)?;
        // A list in MessagePack is its length, and then what is in it.
        let list = [&[0xdd][..], &count.to_be_bytes(), encoded].concat();
        Ok(Self { first, first_at, last_at, records: count, compressed: pack(&list)? })
    }

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

    /// The gaps among the records. A block without any, which is nearly each, is not taken apart.
    pub(crate) fn gaps(compressed: &[u8]) -> Result<Vec<Record>, StoreError> {
        /// How the name of the variant begins a record: a text of three bytes.
        const GAP: &[u8] = b"\xa3Gap";
        Self::having(compressed, &[GAP], |record| matches!(record, Record::Gap { .. }))
    }

    /// The starts and ends of streams among the records, found the same way.
    pub(crate) fn streams(compressed: &[u8]) -> Result<Vec<Record>, StoreError> {
        /// Texts of eleven and of nine bytes.
        const NAMES: [&[u8]; 2] = [b"\xabStreamStart", b"\xa9StreamEnd"];
        let is_stream =
            |what: &Happening| matches!(what, Happening::StreamStart | Happening::StreamEnd);
        Self::having(
            compressed,
            &NAMES,
            |record| matches!(record, Record::Event { event, .. } if is_stream(&event.what)),
        )
    }

    /// The wanted records of a block that has one of these texts at all.
    fn having(
        compressed: &[u8],
        texts: &[&[u8]],
        wanted: impl Fn(&Record) -> bool,
    ) -> Result<Vec<Record>, StoreError> {
        let bytes = unpack(compressed)?;
        if !texts.iter().any(|text| bytes.windows(text.len()).any(|it| it == *text)) {
            return Ok(Vec::new());
        }
        let mut records: Vec<Record> = decode(&bytes)?;
        records.retain(wanted);
        Ok(records)
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

/// The most that a byte of a zstd frame unfolds to: a block of 128 KiB takes four.
const MOST_FOR_A_BYTE: usize = (128 << 10) / 4;

pub(crate) fn unpack(compressed: &[u8]) -> Result<Vec<u8>, StoreError> {
    // What a damaged frame claims is no reason to ask for so much memory.
    let size = zstd::bulk::Decompressor::upper_bound(compressed)
        .unwrap_or(LARGEST_BLOCK)
        .min(LARGEST_BLOCK)
        .min(compressed.len().saturating_mul(MOST_FOR_A_BYTE));
    zstd::bulk::decompress(compressed, size).map_err(damaged)
}

pub(crate) fn decode<'a, V: Deserialize<'a>>(bytes: &'a [u8]) -> Result<V, StoreError> {
    rmp_serde::from_slice(bytes).map_err(damaged)
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { what: "record", problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::MqttMessage;

    /// Records of texts that do not repeat.
    fn records(count: u64) -> Vec<Record> {
        let mut dice = 7_u64;
        let mut text = || {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            format!("{dice:016x}")
        };
        let event = |now| {
            let payload = format!("{} says {}", text(), text()).into_bytes();
            let message = MqttMessage { topic: "deck/fave".to_owned(), payload, retained: false };
            let (id, channel) = (text(), "seaside".to_owned());
            let event = Event { id, channel, at: now, what: Happening::Mqtt(message) };
            Record::Event { now, event: Box::new(event) }
        };
        (0..count).map(event).collect()
    }

    #[test]
    fn many_records_are_blocks_that_fill_their_pages_and_few_are_one() -> Result<(), StoreError> {
        let (records, mut ratio) = (records(20_000), Ratio::default());
        // The first time tells how well they compress.
        Block::encode_all(0, &records, &mut ratio)?;
        let blocks = Block::encode_all(5, &records, &mut ratio)?;
        assert!(blocks.len() > 3, "{}", blocks.len());
        for block in &blocks[..blocks.len() - 1] {
            let size = block.compressed.len();
            assert!(size <= PAGES && size > PAGES / 100 * 85, "{size}");
        }
        let (mut first, mut read) = (5, Vec::new());
        for block in &blocks {
            assert_eq!(block.first, first);
            first += u64::from(block.records);
            let here = Block::decode(&block.compressed)?;
            assert_eq!(here.first().map(Record::at), Some(block.first_at));
            assert_eq!(here.last().map(Record::at), Some(block.last_at));
            read.extend(here);
        }
        assert_eq!(read, records);
        assert_eq!(Block::encode_all(0, &records[..10], &mut ratio)?.len(), 1);
        assert!(Block::encode_all(0, &[], &mut ratio)?.is_empty());
        Ok(())
    }
}
