//! The tables of the store, and a view of them as of one commit.

use std::sync::Arc;

use redb::{ReadOnlyTable, ReadableTable, ReadableTableMetadata, TableDefinition};

use crate::contract::Tally;
use crate::error::StoreError;
use crate::log::{Block, Record};

/// Whose state it is: the state of a slot in a channel, in one generation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotKey {
    /// Login of the channel.
    pub channel: Arc<str>,
    /// Name of the slot in the configuration.
    pub slot: Arc<str>,
    /// Rises when the state is taken over by another run of the chain.
    pub generation: u64,
}

/// Single numbers by name: `schema`, `next-record`, `next-send`, `newest` (time of the newest record).
pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// (channel, slot, generation, key) -> value: the rules' own state.
pub(crate) const STATE: TableDefinition<'_, (&str, &str, u64, &str), &[u8]> =
    TableDefinition::new("state");
/// (channel, slot) -> (generation, state version).
pub(crate) const GENERATIONS: TableDefinition<'_, (&str, &str), (u64, u32)> =
    TableDefinition::new("generations");
/// (channel, kind of count, person, item) -> (faves, weight, people).
pub(crate) const TALLIES: TableDefinition<'_, (&str, u8, &str, &str), (u64, i64, u32)> =
    TableDefinition::new("tallies");
/// (channel, person's id) -> (login, name), as last seen with a fave.
pub(crate) const PEOPLE: TableDefinition<'_, (&str, &str), (&str, &str)> =
    TableDefinition::new("people");
/// (channel, output) -> (slot that shows it, text). No text: it has been taken back.
pub(crate) const OUTPUTS: TableDefinition<'_, (&str, &str), (&str, Option<&str>)> =
    TableDefinition::new("outputs");
/// (channel, slot, generation, name) -> time.
pub(crate) const TIMERS: TableDefinition<'_, (&str, &str, u64, &str), u64> =
    TableDefinition::new("timers");
/// Channel -> (whether the stream is live, since when): as far as anybody has said.
pub(crate) const STREAMS: TableDefinition<'_, &str, (bool, u64)> = TableDefinition::new("streams");
/// Number -> (topic, payload): messages that no broker has acknowledged.
pub(crate) const OUTBOX: TableDefinition<'_, u64, (&str, &[u8])> = TableDefinition::new("outbox");
/// Number -> (channel, title, seconds): clips that nobody has made yet.
pub(crate) const CLIPS: TableDefinition<'_, u64, (&str, &str, u32)> = TableDefinition::new("clips");
/// Number of the first record -> (first time, last time, records, compressed records).
pub(crate) const LOG: TableDefinition<'_, u64, (u64, u64, u32, &[u8])> =
    TableDefinition::new("log");

/// Whether a stream is live, as somebody has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Whether it has started and not ended.
    pub live: bool,
    /// When heatd heard of it, in milliseconds since 1970.
    pub since: u64,
}

/// The kind of count that is of all faves of a channel.
pub(crate) const CHANNEL: u8 = 0;

/// A stored tally.
pub(crate) fn tally((faves, weight, people): (u64, i64, u32)) -> Tally {
    Tally { faves, weight, people }
}

impl Default for Tally {
    fn default() -> Self {
        tally((0, 0, 0))
    }
}

/// Rows of the state, in order.
pub(crate) type Range<'a> =
    redb::Range<'a, (&'static str, &'static str, u64, &'static str), &'static [u8]>;

/// The tables as of one commit. Owns what it reads, so that it can live as long as an overlay.
pub struct Snapshot {
    pub(crate) state: ReadOnlyTable<(&'static str, &'static str, u64, &'static str), &'static [u8]>,
    pub(crate) tallies:
        ReadOnlyTable<(&'static str, u8, &'static str, &'static str), (u64, i64, u32)>,
    pub(crate) people: ReadOnlyTable<(&'static str, &'static str), (&'static str, &'static str)>,
    pub(crate) outputs:
        ReadOnlyTable<(&'static str, &'static str), (&'static str, Option<&'static str>)>,
    pub(crate) timers: ReadOnlyTable<(&'static str, &'static str, u64, &'static str), u64>,
    pub(crate) generations: ReadOnlyTable<(&'static str, &'static str), (u64, u32)>,
    pub(crate) streams: ReadOnlyTable<&'static str, (bool, u64)>,
    pub(crate) outbox: ReadOnlyTable<u64, (&'static str, &'static [u8])>,
    pub(crate) clips: ReadOnlyTable<u64, (&'static str, &'static str, u32)>,
    pub(crate) meta: ReadOnlyTable<&'static str, u64>,
    pub(crate) log: ReadOnlyTable<u64, (u64, u64, u32, &'static [u8])>,
}

impl Snapshot {
    pub(crate) fn meta(&self, name: &str) -> Result<u64, StoreError> {
        Ok(self.meta.get(name)?.map_or(0, |number| number.value()))
    }

    /// The generation of a slot's state, and the state version that it is of.
    pub(crate) fn generation(&self, slot: &SlotKey) -> Result<Option<(u64, u32)>, StoreError> {
        Ok(self.generations.get((&*slot.channel, &*slot.slot))?.map(|row| row.value()))
    }

    /// Messages that no broker has acknowledged, in order.
    pub fn outbox(&self) -> Result<Vec<(u64, String, Vec<u8>)>, StoreError> {
        self.outbox
            .iter()?
            .map(|row| {
                let (number, message) = row?;
                let (topic, payload) = message.value();
                Ok((number.value(), topic.to_owned(), payload.to_vec()))
            })
            .collect()
    }

    /// The streams of which somebody has said whether they are live.
    pub(crate) fn streams(&self) -> Result<Vec<(String, Stream)>, StoreError> {
        self.streams
            .iter()?
            .map(|row| {
                let (channel, stream) = row?;
                let (live, since) = stream.value();
                Ok((channel.value().to_owned(), Stream { live, since }))
            })
            .collect()
    }

    /// How many clips nobody has made yet.
    pub(crate) fn clips(&self) -> Result<u64, StoreError> {
        Ok(self.clips.len()?)
    }

    /// The tally of all faves of a channel.
    pub fn channel_tally(&self, channel: &str) -> Result<Tally, StoreError> {
        let row = self.tallies.get((channel, CHANNEL, "", ""))?;
        Ok(row.map_or(Tally::default(), |row| tally(row.value())))
    }

    /// How many rows the state, the tallies and the log have: the same after a crash as before.
    pub fn rows(&self) -> Result<(u64, u64, u64), StoreError> {
        Ok((self.state.len()?, self.tallies.len()?, self.log.len()?))
    }

    /// The records of the log from this time on, oldest first.
    pub fn records_since(&self, at: u64) -> Result<Vec<Record>, StoreError> {
        let mut blocks = Vec::new();
        for row in self.log.iter()?.rev() {
            let (_, block) = row?;
            let (_, last_at, _, compressed) = block.value();
            if last_at < at {
                break;
            }
            blocks.push(Block::decode(compressed)?);
        }
        Ok(blocks.into_iter().rev().flatten().filter(|record| record.at() >= at).collect())
    }

    /// The time of the newest record, in milliseconds since 1970; 0 for a new store.
    pub fn newest(&self) -> Result<u64, StoreError> {
        self.meta("newest")
    }
}
