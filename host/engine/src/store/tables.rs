//! The tables of the store, and a view of them as of one commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{ReadOnlyTable, ReadableTable, ReadableTableMetadata, TableDefinition};

use crate::contract::digest::Digest;
use crate::contract::{Entry, Tally};
use crate::engine::retry::Letter;
use crate::error::StoreError;
use crate::store::changed::{Changed, Entered};
use crate::store::log::{Block, Record, decode, unpack};

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

impl SlotKey {
    /// Whether it is another generation of the same slot.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        self.channel == other.channel && self.slot == other.slot
    }
}

/// Single numbers by name: `schema`, `schema-since` (the heatd that brought it), `next-record`, `next-send`, `newest` (time of the
/// newest record), `identity` (by which exports name the store).
pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// (channel, slot, generation, key) -> value: the rules' own state.
pub(crate) const STATE: TableDefinition<'_, (&str, &str, u64, &str), &[u8]> =
    TableDefinition::new("state");
/// (channel, slot) -> (generation, state version), as schema version 1 had it.
pub(crate) const GENERATIONS: TableDefinition<'_, (&str, &str), (u64, u32)> =
    TableDefinition::new("generations");
/// (channel, slot) -> (generation, state version, name of the rule): whose state the slot goes on with.
pub(crate) const SLOTS: TableDefinition<'_, (&str, &str), (u64, u32, &str)> =
    TableDefinition::new("slots");
/// Digest -> compressed bytes: every component that was ever live.
pub(crate) const COMPONENTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("components");
/// (channel, slot) -> what was changed while running.
pub(crate) const CHANGED: TableDefinition<'_, (&str, &str), &[u8]> =
    TableDefinition::new("changed");
/// Channel -> that it was added or removed while running.
pub(crate) const MEMBERSHIP: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("membership");
/// Number -> one entry of the audit log.
pub(crate) const AUDIT: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("audit");
/// Number -> a call that had no effects, with its event.
pub(crate) const LETTERS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("letters");
/// (channel, number of the next record) -> (time, the state of all rules then).
pub(crate) const CHECKPOINTS: TableDefinition<'_, (&str, u64), (u64, &[u8])> =
    TableDefinition::new("checkpoints");
/// (channel, kind of count, person, item) -> (faves, weight, people).
pub(crate) const TALLIES: TableDefinition<'_, (&str, u8, &str, &str), (u64, i64, u32)> =
    TableDefinition::new("tallies");
/// (channel, person's id) -> (login, name), as last seen with a fave.
pub(crate) const PEOPLE: TableDefinition<'_, (&str, &str), (&str, &str)> =
    TableDefinition::new("people");
/// (channel, source, person's id, item) -> (faves, weight): what imports have brought, as their files had it.
pub(crate) const IMPORTED: TableDefinition<'_, (&str, &str, &str, &str), (u64, i64)> =
    TableDefinition::new("imported");
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

/// Whose state a slot goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) generation: u64,
    /// The state version of the rule.
    pub(crate) version: u32,
    /// The name of the rule; empty when it was written by a heatd that did not keep it.
    pub(crate) rule: String,
}

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

/// Counts by kind, person and item.
pub(crate) type Counted = Vec<((u8, String, String), Tally)>;

/// Rows of the state, in order.
pub(crate) type Range<'a> =
    redb::Range<'a, (&'static str, &'static str, u64, &'static str), &'static [u8]>;

/// The tables as of one commit. Owns what it reads, so that it can live as long as an overlay.
pub struct Snapshot {
    pub(crate) state: ReadOnlyTable<(&'static str, &'static str, u64, &'static str), &'static [u8]>,
    pub(crate) tallies:
        ReadOnlyTable<(&'static str, u8, &'static str, &'static str), (u64, i64, u32)>,
    pub(crate) people: ReadOnlyTable<(&'static str, &'static str), (&'static str, &'static str)>,
    pub(crate) imported:
        ReadOnlyTable<(&'static str, &'static str, &'static str, &'static str), (u64, i64)>,
    pub(crate) outputs:
        ReadOnlyTable<(&'static str, &'static str), (&'static str, Option<&'static str>)>,
    pub(crate) timers: ReadOnlyTable<(&'static str, &'static str, u64, &'static str), u64>,
    pub(crate) slots: ReadOnlyTable<(&'static str, &'static str), (u64, u32, &'static str)>,
    pub(crate) components: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(crate) changed: ReadOnlyTable<(&'static str, &'static str), &'static [u8]>,
    pub(crate) membership: ReadOnlyTable<&'static str, &'static [u8]>,
    pub(crate) audit: ReadOnlyTable<u64, &'static [u8]>,
    pub(crate) letters: ReadOnlyTable<u64, &'static [u8]>,
    pub(crate) checkpoints: ReadOnlyTable<(&'static str, u64), (u64, &'static [u8])>,
    pub(crate) streams: ReadOnlyTable<&'static str, (bool, u64)>,
    pub(crate) outbox: ReadOnlyTable<u64, (&'static str, &'static [u8])>,
    pub(crate) clips: ReadOnlyTable<u64, (&'static str, &'static str, u32)>,
    pub(crate) meta: ReadOnlyTable<&'static str, u64>,
    pub(crate) log: ReadOnlyTable<u64, (u64, u64, u32, &'static [u8])>,
    pub(crate) names: ReadOnlyTable<u32, (u8, &'static str, &'static str)>,
    pub(crate) blocks: ReadOnlyTable<(&'static str, u8, u64), &'static [u8]>,
}

impl Snapshot {
    pub(crate) fn meta(&self, name: &str) -> Result<u64, StoreError> {
        Ok(self.meta.get(name)?.map_or(0, |number| number.value()))
    }

    /// Whose state a slot goes on with, if it has had a rule before.
    pub(crate) fn owner(&self, channel: &str, slot: &str) -> Result<Option<Owner>, StoreError> {
        let row = self.slots.get((channel, slot))?;
        Ok(row.map(|row| {
            let (generation, version, rule) = row.value();
            Owner { generation, version, rule: rule.to_owned() }
        }))
    }

    /// What was changed of a slot while running.
    pub(crate) fn changed(&self, channel: &str, slot: &str) -> Result<Option<Changed>, StoreError> {
        self.changed.get((channel, slot))?.map(|row| decode(row.value())).transpose()
    }

    /// The bytes of a component that was live once.
    pub fn component(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.components.get(&digest.0[..])?.map(|row| unpack(row.value())).transpose()
    }

    /// The components that were ever live and whose digest begins so, in hexadecimal.
    pub fn components_like(&self, digest: &str) -> Result<Vec<Digest>, StoreError> {
        let mut found = Vec::new();
        for row in self.components.iter()? {
            let Ok(bytes) = <[u8; 32]>::try_from(row?.0.value()) else { continue };
            let known = Digest(bytes);
            if !digest.is_empty() && known.to_string().starts_with(&digest.to_lowercase()) {
                found.push(known);
            }
        }
        Ok(found)
    }

    /// The audit log, newest first: at most so many entries, each with its number.
    pub fn audit(&self, most: usize) -> Result<Vec<(u64, Entered)>, StoreError> {
        let rows = self.audit.iter()?.rev().take(most);
        rows.map(|row| {
            let (number, entry) = row?;
            Ok((number.value(), decode(entry.value())?))
        })
        .collect()
    }

    /// The dead letters, oldest first, each with its number.
    pub fn letters(&self) -> Result<Vec<(u64, Letter)>, StoreError> {
        self.letters
            .iter()?
            .map(|row| {
                let (number, letter) = row?;
                Ok((number.value(), decode(letter.value())?))
            })
            .collect()
    }

    /// Every generation of which a slot has state, in order.
    pub(crate) fn generations(&self, channel: &str, slot: &str) -> Result<Vec<u64>, StoreError> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(row) = self.state.range((channel, slot, from, "")..)?.next() {
            let (key, _) = row?;
            let (here, this, generation, _) = key.value();
            if here != channel || this != slot {
                break;
            }
            found.push(generation);
            from = generation + 1;
        }
        Ok(found)
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

    /// Whether a channel's stream is live, as far as somebody has said.
    pub(crate) fn stream(&self, channel: &str) -> Result<Option<Stream>, StoreError> {
        let row = self.streams.get(channel)?;
        Ok(row.map(|row| Stream { live: row.value().0, since: row.value().1 }))
    }

    /// The number that the next record of the log will have.
    pub fn next_record(&self) -> Result<u64, StoreError> {
        self.meta("next-record")
    }

    /// The stored entries of a slot's generation from this key on, in order.
    pub(crate) fn rows_from<'a>(
        &self,
        slot: &'a SlotKey,
        lowest: &str,
    ) -> Result<impl Iterator<Item = Result<Entry, StoreError>> + use<'a>, StoreError> {
        let start = (&*slot.channel, &*slot.slot, slot.generation, lowest);
        let rows = self.state.range(start..)?.map_while(move |row| {
            let (key, value) = match row {
                Ok(row) => row,
                Err(error) => return Some(Err(error.into())),
            };
            let (channel, name, generation, key) = key.value();
            let here =
                channel == &*slot.channel && name == &*slot.slot && generation == slot.generation;
            here.then(|| Ok(Entry { key: key.to_owned(), value: value.value().to_vec() }))
        });
        Ok(rows)
    }

    /// The stored timers of a slot.
    pub(crate) fn alarms(&self, slot: &SlotKey) -> Result<Vec<(String, u64)>, StoreError> {
        let mut alarms = Vec::new();
        for row in self.timers.range((&*slot.channel, &*slot.slot, slot.generation, "")..)? {
            let (key, at) = row?;
            let (channel, name, generation, alarm) = key.value();
            if channel != &*slot.channel || name != &*slot.slot || generation != slot.generation {
                break;
            }
            alarms.push((alarm.to_owned(), at.value()));
        }
        Ok(alarms)
    }

    /// What a slot shows, by output.
    pub fn shown_by(
        &self,
        channel: &str,
        slot: &str,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let mut shown = BTreeMap::new();
        for row in self.outputs.range((channel, "")..)? {
            let (key, value) = row?;
            if key.value().0 != channel {
                break;
            }
            if let (owner, Some(text)) = value.value()
                && owner == slot
            {
                shown.insert(key.value().1.to_owned(), text.to_owned());
            }
        }
        Ok(shown)
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

    /// Every count of a channel, by kind, person and item: 0 is that of the channel, 1 of an item, 2 of a person, 3 of what a person gave
    /// an item.
    pub fn tallies(&self, channel: &str) -> Result<Counted, StoreError> {
        let mut tallies = Vec::new();
        for row in self.tallies.range((channel, 0, "", "")..)? {
            let (key, value) = row?;
            let (of, kind, person, item) = key.value();
            if of != channel {
                break;
            }
            tallies.push(((kind, person.to_owned(), item.to_owned()), tally(value.value())));
        }
        Ok(tallies)
    }

    /// How many rows the state, the tallies and the log have: the same after a crash as before.
    pub fn rows(&self) -> Result<(u64, u64, u64), StoreError> {
        Ok((self.state.len()?, self.tallies.len()?, self.log.len()?))
    }

    /// The records of the log from this time on, oldest first.
    pub fn records_since(&self, at: u64) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        if let Some(first) = self.first_since(at)? {
            for row in self.log.range(first..)? {
                records.extend(Block::decode(row?.1.value().3)?);
            }
        }
        records.retain(|record| record.at() >= at);
        Ok(records)
    }

    /// The number of the first block of the log that has something from this time on.
    pub(crate) fn first_since(&self, at: u64) -> Result<Option<u64>, StoreError> {
        let mut first = None;
        for row in self.log.iter()?.rev() {
            let (number, block) = row?;
            if block.value().1 < at {
                break;
            }
            first = Some(number.value());
        }
        Ok(first)
    }

    /// The records of the log from this number on, oldest first, block by block.
    pub fn blocks(
        &self,
        from: u64,
    ) -> Result<impl Iterator<Item = Result<(u64, Vec<Record>), StoreError>> + use<>, StoreError>
    {
        // The block that holds the number may have begun before it.
        let start = match self.log.range(..=from)?.next_back() {
            Some(row) => row?.0.value(),
            None => from,
        };
        Ok(self.log.range(start..)?.map(move |row| {
            let (number, block) = row?;
            let first = number.value();
            let mut records = Block::decode(block.value().3)?;
            let skipped = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
            records.drain(..skipped.min(records.len()));
            Ok((first.max(from), records))
        }))
    }

    /// Whether the log has its first record still.
    pub(crate) fn is_whole(&self) -> Result<bool, StoreError> {
        Ok(self.log.first()?.is_none_or(|(number, _)| number.value() == 0))
    }

    /// The time of the oldest record, in milliseconds since 1970; none while there is none.
    pub fn oldest(&self) -> Result<Option<u64>, StoreError> {
        Ok(self.log.first()?.map(|(_, block)| block.value().0))
    }

    /// The time of the newest record, in milliseconds since 1970; 0 for a new store.
    pub fn newest(&self) -> Result<u64, StoreError> {
        self.meta("newest")
    }
}
