//! A view of all tables as of one commit: what engine, runs and readers on other threads ask it.

use std::collections::BTreeMap;

use redb::{ReadableTable, ReadableTableMetadata};

use crate::contract::Entry;
use crate::contract::digest::Digest;
use crate::error::StoreError;
use crate::store::changes::{AuditEntry, SlotOverride};
use crate::store::log::{Block, decode, unpack};
use crate::store::read_tables::ReadTables;
use crate::store::record::Record;
use crate::store::tables::*;

/// The tables as of one commit. Owns what it reads, so that it can live as long as an overlay.
pub struct Snapshot {
    pub(crate) tables: ReadTables,
}

impl Snapshot {
    pub(crate) fn meta(&self, name: &str) -> Result<u64, StoreError> {
        Ok(self.tables.meta()?.get(name)?.map_or(0, |number| number.value()))
    }

    /// Whose state a slot goes on with, if it has had a rule before.
    pub(crate) fn owner(&self, channel: &str, slot: &str) -> Result<Option<Owner>, StoreError> {
        let row = self.tables.slots()?.get((channel, slot))?;
        Ok(row.map(|row| {
            let (generation, version, rule) = row.value();
            Owner { generation, version, rule: rule.to_owned() }
        }))
    }

    /// What was changed of a slot while running.
    pub(crate) fn slot_override(
        &self,
        channel: &str,
        slot: &str,
    ) -> Result<Option<SlotOverride>, StoreError> {
        self.tables
            .slot_overrides()?
            .get((channel, slot))?
            .map(|row| decode(row.value()))
            .transpose()
    }

    /// The slots of a channel that were added while running, by name.
    pub fn added_slots(&self, channel: &str) -> Result<Vec<(String, SlotOverride)>, StoreError> {
        let mut found = Vec::new();
        for row in self.tables.slot_overrides()?.range((channel, "")..)? {
            let (key, value) = row?;
            let (of, slot) = key.value();
            if of != channel {
                break;
            }
            let change: SlotOverride = decode(value.value())?;
            if change.added.is_some() {
                found.push((slot.to_owned(), change));
            }
        }
        Ok(found)
    }

    /// The bytes of a component that was live once.
    pub fn component(&self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.tables.components()?.get(&digest.0[..])?.map(|row| unpack(row.value())).transpose()
    }

    /// The components that were ever live and whose digest begins so, in hexadecimal.
    pub fn components_like(&self, digest: &str) -> Result<Vec<Digest>, StoreError> {
        let mut found = Vec::new();
        for row in self.tables.components()?.iter()? {
            let Ok(bytes) = <[u8; 32]>::try_from(row?.0.value()) else { continue };
            let known = Digest(bytes);
            if !digest.is_empty() && known.to_string().starts_with(&digest.to_lowercase()) {
                found.push(known);
            }
        }
        Ok(found)
    }

    /// The audit log, newest first: at most so many entries, each with its number.
    pub fn audit(&self, most: usize) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        let rows = self.tables.audit()?.iter()?.rev().take(most);
        rows.map(|row| {
            let (number, entry) = row?;
            Ok((number.value(), decode(entry.value())?))
        })
        .collect()
    }

    /// Every generation of which a slot has state, in order.
    pub(crate) fn generations(&self, channel: &str, slot: &str) -> Result<Vec<u64>, StoreError> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(row) = self.tables.state()?.range((channel, slot, from, "")..)?.next() {
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

    /// All messages that no broker has acknowledged, in order.
    pub fn outbox(&self) -> Result<Vec<(u64, String, Vec<u8>)>, StoreError> {
        self.outbox_from(0, u64::MAX)
    }

    /// The first of these messages from this number on: as many as have so many bytes together, and one at least.
    pub fn outbox_from(
        &self,
        number: u64,
        most: u64,
    ) -> Result<Vec<(u64, String, Vec<u8>)>, StoreError> {
        let (mut found, mut bytes) = (Vec::new(), 0);
        for row in self.tables.outbox()?.range(number..)? {
            let (number, message) = row?;
            let (topic, payload) = message.value();
            bytes += (topic.len() + payload.len()) as u64;
            if bytes > most && !found.is_empty() {
                break;
            }
            found.push((number.value(), topic.to_owned(), payload.to_vec()));
        }
        Ok(found)
    }

    /// How many these messages are, and how many bytes they have together.
    pub(crate) fn outbox_size(&self) -> Result<(u64, u64), StoreError> {
        let (mut messages, mut bytes) = (0, 0);
        for row in self.tables.outbox()?.iter()? {
            let (_, message) = row?;
            let (topic, payload) = message.value();
            messages += 1;
            bytes += (topic.len() + payload.len()) as u64;
        }
        Ok((messages, bytes))
    }

    /// How many bytes one of these messages has. None: it is not there.
    pub(crate) fn outbox_bytes(&self, number: u64) -> Result<Option<u64>, StoreError> {
        let row = self.tables.outbox()?.get(number)?;
        Ok(row.map(|message| {
            let (topic, payload) = message.value();
            (topic.len() + payload.len()) as u64
        }))
    }

    /// The streams of which somebody has said whether they are live.
    pub(crate) fn streams(&self) -> Result<Vec<(String, Stream)>, StoreError> {
        self.tables
            .streams()?
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
        let row = self.tables.streams()?.get(channel)?;
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
        let rows = self.tables.state()?.range(start..)?.map_while(move |row| {
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
        for row in
            self.tables.timers()?.range((&*slot.channel, &*slot.slot, slot.generation, "")..)?
        {
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
        for row in self.tables.outputs()?.range((channel, "")..)? {
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
        Ok(self.tables.clips()?.len()?)
    }

    /// How many rows the state, the tallies and the log have: the same after a crash as before.
    pub fn rows(&self) -> Result<(u64, u64, u64), StoreError> {
        Ok((self.tables.state()?.len()?, self.tables.tallies()?.len()?, self.tables.log()?.len()?))
    }

    /// The records of the log from this time on, oldest first.
    pub fn records_since(&self, at: u64) -> Result<Vec<Record>, StoreError> {
        let mut records = Vec::new();
        if let Some(first) = self.first_since(at)? {
            for row in self.tables.log()?.range(first..)? {
                records.extend(Block::decode(row?.1.value().3)?);
            }
        }
        records.retain(|record| record.at() >= at);
        Ok(records)
    }

    /// The number of the first block of the log that has something from this time on.
    pub(crate) fn first_since(&self, at: u64) -> Result<Option<u64>, StoreError> {
        let mut first = None;
        for row in self.tables.log()?.iter()?.rev() {
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
        let start = match self.tables.log()?.range(..=from)?.next_back() {
            Some(row) => row?.0.value(),
            None => from,
        };
        Ok(self.tables.log()?.range(start..)?.map(move |row| {
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
        Ok(self.tables.log()?.first()?.is_none_or(|(number, _)| number.value() == 0))
    }

    /// The time of the oldest record, in milliseconds since 1970; none while there is none.
    pub fn oldest(&self) -> Result<Option<u64>, StoreError> {
        Ok(self.tables.log()?.first()?.map(|(_, block)| block.value().0))
    }

    /// The time of the newest record, in milliseconds since 1970; 0 for a new store.
    pub fn newest(&self) -> Result<u64, StoreError> {
        self.meta("newest")
    }
}
