//! The store: redb tables, their one schema version, and the commit of what an overlay holds.
//!
//! The engine's thread is the only writer. Reads go through a [`Snapshot`] of the last commit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use redb::backends::InMemoryBackend;
use redb::{
    Builder, Database, ReadOnlyTable, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    Table, TableDefinition,
};

use crate::contract::Tally;
use crate::error::StoreError;
use crate::log::{Block, Record};
use crate::overlay::{Overlay, SlotKey};

/// The version of everything below. A store of another version is migrated forward, or refused when it is newer.
pub const SCHEMA_VERSION: u64 = 1;

/// redb's cache in bytes. Its default of 1 GiB is more than a Pi has to spare.
const CACHE_BYTES: usize = 8 << 20;

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
/// Number -> (topic, payload): messages that no broker has acknowledged.
pub(crate) const OUTBOX: TableDefinition<'_, u64, (&str, &[u8])> = TableDefinition::new("outbox");
/// Number -> (channel, title, seconds): clips that nobody has made yet.
pub(crate) const CLIPS: TableDefinition<'_, u64, (&str, &str, u32)> = TableDefinition::new("clips");
/// Number of the first record -> (first time, last time, records, compressed records).
pub(crate) const LOG: TableDefinition<'_, u64, (u64, u64, u32, &[u8])> =
    TableDefinition::new("log");

/// The database. One process at a time can have it open.
pub struct Store {
    database: Arc<Database>,
}

impl Store {
    /// Opens the store in this file, or makes it.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        Self::prepare(builder().create(file)?)
    }

    /// A store that is gone with the process: for tests and for rules that are tried out.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::prepare(builder().create_with_backend(InMemoryBackend::new())?)
    }

    fn prepare(database: Database) -> Result<Self, StoreError> {
        let transaction = database.begin_write()?;
        {
            let mut meta = transaction.open_table(META)?;
            let found = meta.get("schema")?.map(|version| version.value());
            match found {
                None => drop(meta.insert("schema", SCHEMA_VERSION)?),
                Some(SCHEMA_VERSION) => {}
                Some(found) => return Err(StoreError::Newer { found, known: SCHEMA_VERSION }),
            }
            transaction.open_table(STATE)?;
            transaction.open_table(GENERATIONS)?;
            transaction.open_table(TALLIES)?;
            transaction.open_table(PEOPLE)?;
            transaction.open_table(OUTPUTS)?;
            transaction.open_table(TIMERS)?;
            transaction.open_table(OUTBOX)?;
            transaction.open_table(CLIPS)?;
            transaction.open_table(LOG)?;
        }
        transaction.commit()?;
        Ok(Self { database: Arc::new(database) })
    }

    /// The tables as of the last commit.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let transaction = self.database.begin_read()?;
        Ok(Snapshot {
            state: transaction.open_table(STATE)?,
            tallies: transaction.open_table(TALLIES)?,
            people: transaction.open_table(PEOPLE)?,
            outputs: transaction.open_table(OUTPUTS)?,
            timers: transaction.open_table(TIMERS)?,
            generations: transaction.open_table(GENERATIONS)?,
            outbox: transaction.open_table(OUTBOX)?,
            clips: transaction.open_table(CLIPS)?,
            meta: transaction.open_table(META)?,
            log: transaction.open_table(LOG)?,
        })
    }

    /// Writes the changes and the records in one transaction, durable when this returns.
    pub(crate) fn commit(
        &self,
        overlay: &Overlay,
        block: Option<&Block>,
    ) -> Result<(), StoreError> {
        let transaction = self.database.begin_write()?;
        overlay.write(&transaction)?;
        if let Some(block) = block {
            transaction.open_table(LOG)?.insert(block.first, block.row())?;
            let mut meta = transaction.open_table(META)?;
            meta.insert("next-record", block.first + u64::from(block.records))?;
            // The engine's time never runs backwards, so the last block has the newest record.
            meta.insert("newest", block.last_at)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Deletes the blocks of the log whose records are all older than this time, and says how many they were. The last
    /// chain of each channel among them is kept, in the place of the last block that went.
    pub(crate) fn expire_log(&self, before: u64) -> Result<u64, StoreError> {
        let transaction = self.database.begin_write()?;
        let (mut removed, mut more_than_chains) = (0, false);
        {
            let mut log = transaction.open_table(LOG)?;
            let mut chains = BTreeMap::new();
            let mut place = 0;
            while let Some((number, records)) = oldest_block(&log, before)? {
                for record in records {
                    match &record {
                        Record::Chain { channel, .. } => {
                            drop(chains.insert(channel.clone(), record));
                        }
                        _ => more_than_chains = true,
                    }
                }
                log.remove(number)?;
                (removed, place) = (removed + 1, number);
            }
            let chains: Vec<Record> = chains.into_values().collect();
            if let Some(block) = Block::encode(place, &chains)? {
                log.insert(block.first, block.row())?;
            }
        }
        // A block of chains that was kept before is no reason to write it again.
        if removed > 1 || more_than_chains {
            transaction.commit()?;
            return Ok(removed);
        }
        transaction.abort()?;
        Ok(0)
    }
}

/// The oldest block of the log, if all of its records are older than this.
fn oldest_block(
    log: &Table<'_, u64, (u64, u64, u32, &'static [u8])>,
    before: u64,
) -> Result<Option<(u64, Vec<Record>)>, StoreError> {
    let Some((number, row)) = log.first()? else { return Ok(None) };
    let (_, last_at, _, compressed) = row.value();
    if last_at >= before {
        return Ok(None);
    }
    Ok(Some((number.value(), Block::decode(compressed)?)))
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// The tables as of one commit. Owns what it reads, so that it can live as long as an overlay.
pub struct Snapshot {
    pub(crate) state: ReadOnlyTable<(&'static str, &'static str, u64, &'static str), &'static [u8]>,
    pub(crate) tallies:
        ReadOnlyTable<(&'static str, u8, &'static str, &'static str), (u64, i64, u32)>,
    pub(crate) people: ReadOnlyTable<(&'static str, &'static str), (&'static str, &'static str)>,
    pub(crate) outputs:
        ReadOnlyTable<(&'static str, &'static str), (&'static str, Option<&'static str>)>,
    pub(crate) timers: ReadOnlyTable<(&'static str, &'static str, u64, &'static str), u64>,
    generations: ReadOnlyTable<(&'static str, &'static str), (u64, u32)>,
    outbox: ReadOnlyTable<u64, (&'static str, &'static [u8])>,
    clips: ReadOnlyTable<u64, (&'static str, &'static str, u32)>,
    meta: ReadOnlyTable<&'static str, u64>,
    log: ReadOnlyTable<u64, (u64, u64, u32, &'static [u8])>,
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

    /// How many clips nobody has made yet.
    pub(crate) fn clips(&self) -> Result<u64, StoreError> {
        Ok(self.clips.len()?)
    }

    /// The tally of all faves of a channel.
    pub fn channel_tally(&self, channel: &str) -> Result<Tally, StoreError> {
        let row = self.tallies.get((channel, crate::overlay::CHANNEL, "", ""))?;
        Ok(row.map_or(Tally::default(), |row| crate::overlay::tally(row.value())))
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
