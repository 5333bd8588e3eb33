//! The store: one redb file, its schema version, and the commit of what an overlay holds.
//!
//! The engine's thread is the only writer. Reads go through a [`Snapshot`] of the last commit.

pub(crate) mod backup;
pub(crate) mod changed;
pub(crate) mod disk;
pub(crate) mod ids;
pub(crate) mod log;
mod open;
pub(crate) mod tables;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadableDatabase, ReadableTable, Table, WriteTransaction};

use crate::error::StoreError;
use crate::overlay::Overlay;
use crate::series::{self, BLOCKS, NAMES, Resolution, Shared, Statistics};
use crate::store::disk::{DiskCounters, DiskUse};
use crate::store::log::{Block, Record};
use crate::store::tables::{
    AUDIT, CHANGED, CHECKPOINTS, CLIPS, COMPONENTS, GENERATIONS, IMPORTED, LETTERS, LOG,
    MEMBERSHIP, META, OUTBOX, OUTPUTS, PEOPLE, SLOTS, STATE, STREAMS, Snapshot, TALLIES, TIMERS,
};

pub use open::reads_a_store;
pub(crate) use open::{builder, guarded};

/// The version of all tables. A store of another version is migrated forward, or refused when it is newer.
pub const SCHEMA_VERSION: u64 = 3;

/// The database. One process at a time can have it open; clones are the same one.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    disk: DiskCounters,
}

impl Store {
    fn prepare(database: Database, disk: DiskCounters) -> Result<Self, StoreError> {
        let transaction = database.begin_write()?;
        {
            let mut meta = transaction.open_table(META)?;
            let found = meta.get("schema")?.map(|version| version.value());
            check_version(found, meta.get("schema-since")?.map(|it| it.value()))?;
            // Version 3 has records and a table that version 2 does not know, and changes none.
            if found == Some(1) {
                name_owners(&transaction)?;
            }
            if found != Some(SCHEMA_VERSION) {
                meta.insert("schema", SCHEMA_VERSION)?;
                meta.insert("schema-since", version_number(env!("CARGO_PKG_VERSION")))?;
            }
            transaction.open_table(STATE)?;
            transaction.open_table(SLOTS)?;
            transaction.open_table(COMPONENTS)?;
            transaction.open_table(CHANGED)?;
            transaction.open_table(MEMBERSHIP)?;
            transaction.open_table(AUDIT)?;
            transaction.open_table(LETTERS)?;
            transaction.open_table(CHECKPOINTS)?;
            transaction.open_table(TALLIES)?;
            transaction.open_table(PEOPLE)?;
            transaction.open_table(IMPORTED)?;
            transaction.open_table(OUTPUTS)?;
            transaction.open_table(TIMERS)?;
            transaction.open_table(STREAMS)?;
            transaction.open_table(OUTBOX)?;
            transaction.open_table(CLIPS)?;
            transaction.open_table(LOG)?;
            transaction.open_table(NAMES)?;
            transaction.open_table(BLOCKS)?;
        }
        transaction.commit()?;
        Ok(Self { database: Arc::new(database), disk })
    }

    /// What was written to the file since it was opened; nothing for a store in memory.
    pub fn disk(&self) -> DiskUse {
        self.disk.read()
    }

    /// The tables as of the last commit.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let transaction = self.database.begin_read()?;
        Ok(Snapshot {
            state: transaction.open_table(STATE)?,
            tallies: transaction.open_table(TALLIES)?,
            people: transaction.open_table(PEOPLE)?,
            imported: transaction.open_table(IMPORTED)?,
            outputs: transaction.open_table(OUTPUTS)?,
            timers: transaction.open_table(TIMERS)?,
            slots: transaction.open_table(SLOTS)?,
            components: transaction.open_table(COMPONENTS)?,
            changed: transaction.open_table(CHANGED)?,
            membership: transaction.open_table(MEMBERSHIP)?,
            audit: transaction.open_table(AUDIT)?,
            letters: transaction.open_table(LETTERS)?,
            checkpoints: transaction.open_table(CHECKPOINTS)?,
            streams: transaction.open_table(STREAMS)?,
            outbox: transaction.open_table(OUTBOX)?,
            clips: transaction.open_table(CLIPS)?,
            meta: transaction.open_table(META)?,
            log: transaction.open_table(LOG)?,
            names: transaction.open_table(NAMES)?,
            blocks: transaction.open_table(BLOCKS)?,
        })
    }

    /// Writes the changes and the records in one transaction, durable when this returns.
    pub(crate) fn commit(
        &self,
        overlay: &Overlay,
        blocks: &[Block],
        series: Option<(&Shared, u64)>,
    ) -> Result<(), StoreError> {
        let transaction = self.database.begin_write()?;
        overlay.write(&transaction)?;
        if let Some(last) = blocks.last() {
            let mut log = transaction.open_table(LOG)?;
            for block in blocks {
                log.insert(block.first, block.row())?;
            }
            let mut meta = transaction.open_table(META)?;
            meta.insert("next-record", last.first + u64::from(last.records))?;
            // The engine's time never runs backwards, so the last block has the newest record.
            meta.insert("newest", last.last_at)?;
        }
        if let Some((series, now)) = series {
            series.write(&transaction, now)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Keeps a time that no record has.
    pub(crate) fn keep_time(&self, name: &str, at: u64) -> Result<(), StoreError> {
        let transaction = self.database.begin_write()?;
        transaction.open_table(META)?.insert(name, at)?;
        transaction.commit()?;
        Ok(())
    }

    /// What was counted, for reading on whichever thread.
    pub(crate) fn statistics(&self, shared: Shared) -> Statistics {
        Statistics { store: self.clone(), shared }
    }

    /// Deletes the blocks of series that have been kept long enough, at most so many, and says how many they were.
    pub(crate) fn expire_series(
        &self,
        now: u64,
        kept: impl Fn(Resolution) -> u64,
        most: usize,
    ) -> Result<usize, StoreError> {
        let transaction = self.database.begin_write()?;
        let removed = series::expire(&transaction, now, kept, most)?;
        match removed {
            0 => transaction.abort()?,
            _ => transaction.commit()?,
        }
        Ok(removed)
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
            // A run from a checkpoint needs every record since.
            let mut checkpoints = transaction.open_table(CHECKPOINTS)?;
            checkpoints.retain(|(_, number), _| removed == 0 || number > place)?;
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

/// Looks at the version before anything is opened for writing. What cannot be read so is for whoever opens it.
fn refuse_newer(file: &Path) -> Result<(), StoreError> {
    let Ok(database) = builder().open_read_only(file) else { return Ok(()) };
    let Ok(meta) = database.begin_read()?.open_table(META) else { return Ok(()) };
    let number = |name| Ok::<_, StoreError>(meta.get(name)?.map(|number| number.value()));
    check_version(number("schema")?, number("schema-since")?)
}

fn check_version(schema: Option<u64>, since: Option<u64>) -> Result<(), StoreError> {
    match schema {
        Some(found) if found > SCHEMA_VERSION => {
            let needs = since.map_or_else(|| "a newer version".to_owned(), version_name);
            Err(StoreError::Newer { found, known: SCHEMA_VERSION, needs })
        }
        _ => Ok(()),
    }
}

/// A version as one number, as the store keeps that of the heatd that has brought its schema: an older one names it to whoever goes back.
fn version_number(version: &str) -> u64 {
    let parts = version.split(['.', '-', '+']).take(3).map(|part| part.parse().unwrap_or(0));
    parts.fold(0, |number, part: u64| (number << 16) | part)
}

fn version_name(number: u64) -> String {
    format!("version {}.{}.{}", number >> 32, (number >> 16) & 0xFFFF, number & 0xFFFF)
}

/// Schema version 1 did not know whose state a slot has.
fn name_owners(transaction: &WriteTransaction) -> Result<(), StoreError> {
    {
        let before = transaction.open_table(GENERATIONS)?;
        let mut slots = transaction.open_table(SLOTS)?;
        for row in before.iter()? {
            let (key, value) = row?;
            let (generation, version) = value.value();
            slots.insert(key.value(), (generation, version, ""))?;
        }
    }
    transaction.delete_table(GENERATIONS)?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tables::Owner;

    #[test]
    fn a_store_of_the_first_schema_is_taken_over_with_its_generations() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("heat.redb");
        let database = Database::create(&file)?;
        let transaction = database.begin_write()?;
        transaction.open_table(META)?.insert("schema", 1)?;
        transaction.open_table(GENERATIONS)?.insert(("seaside", "decay"), (3, 2))?;
        transaction.open_table(STATE)?.insert(("seaside", "decay", 3, "m"), &[7][..])?;
        transaction.commit()?;
        drop(database);
        for _ in 0..2 {
            let snapshot = Store::open(&file)?.snapshot()?;
            let owner = Owner { generation: 3, version: 2, rule: String::new() };
            assert_eq!(snapshot.owner("seaside", "decay")?, Some(owner));
            assert_eq!(snapshot.generations("seaside", "decay")?, [3]);
            assert_eq!(snapshot.meta("schema")?, SCHEMA_VERSION);
            let since = version_name(snapshot.meta("schema-since")?);
            assert_eq!(since, format!("version {}", env!("CARGO_PKG_VERSION")));
        }
        Ok(())
    }
}
