//! A copy of the whole store in another file, while the engine goes on: all tables as of one commit.

use std::fs::OpenOptions;
use std::path::Path;

use redb::{Database, Key, ReadOnlyTable, ReadableTable, TableDefinition, Value, WriteTransaction};

use crate::error::StoreError;
use crate::store::Store;
use crate::store::counts::{CountKind, tally};
use crate::store::guard::{builder, guarded};
use crate::store::log::Block;
use crate::store::snapshot::Snapshot;
use crate::store::tables::*;

/// How many rows are copied between two words on how far it is.
const PART: u64 = 1_000;

/// Told how many rows are copied, and of how many. False ends the copy.
pub type Progress<'a> = dyn FnMut(u64, u64) -> bool + 'a;

/// What a store has, to compare a copy with what it was made of, and to tell people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The time of the newest record, in milliseconds since 1970. None: nothing has happened yet.
    pub newest: Option<u64>,
    /// The number that the next record of the log will have.
    pub next_record: u64,
    /// Rows of all tables together.
    pub rows: u64,
    /// The faves of each channel, by name.
    pub faves: Vec<(String, u64)>,
}

impl Snapshot {
    /// What is in it.
    pub fn contents(&self) -> Result<Contents, StoreError> {
        let newest = Some(self.newest()?).filter(|newest| *newest > 0);
        let rows = self.tables.all_rows()?;
        Ok(Contents { newest, next_record: self.next_record()?, rows, faves: self.faves()? })
    }

    /// The faves of each channel.
    fn faves(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let mut faves = Vec::new();
        let mut from = String::new();
        while let Some(row) = self
            .tables
            .tallies()?
            .range((from.as_str(), CountKind::Channel.code(), "", "")..)?
            .next()
        {
            let (key, row) = row?;
            let (channel, kind, ..) = key.value();
            if kind == CountKind::Channel.code() {
                faves.push((channel.to_owned(), tally(row.value()).faves));
            }
            // The least name that comes after this one.
            from = format!("{channel}\0");
        }
        Ok(faves)
    }

    /// Writes everything into a new file, durably, and verifies what was written. The file must not be there before; only its owner
    /// may read it. Where this fails, what has been written is left to the caller.
    pub fn back_up(&self, file: &Path, told: &mut Progress<'_>) -> Result<Contents, StoreError> {
        let found = guarded(|| {
            self.whole_log(told)?;
            let mut database = builder().create_file(new_file(file)?)?;
            self.copy(&database, told)?;
            database.compact()?;
            self.contents()
        })?;
        let copied = Store::open(file)?.snapshot()?.contents()?;
        if copied != found {
            let problem = format!("the copy has {copied:?}, and the store {found:?}");
            return Err(StoreError::Broken(problem));
        }
        Ok(found)
    }

    /// Whether every block of the log can be read: a copy of damaged rows would look sound.
    fn whole_log(&self, told: &mut Progress<'_>) -> Result<(), StoreError> {
        let of = self.tables.all_rows()?;
        for row in self.tables.log()?.iter()? {
            Block::decode(row?.1.value().3)?;
            if !told(0, of) {
                return Err(StoreError::BrokenOff);
            }
        }
        Ok(())
    }

    fn copy(&self, database: &Database, told: &mut Progress<'_>) -> Result<(), StoreError> {
        let transaction = database.begin_write()?;
        let mut copy = Copy { to: &transaction, told, done: 0, of: self.tables.all_rows()? };
        macro_rules! copy {
            ($($(#[$doc:meta])* $field:ident $name:ident $stored:literal: $key:ty => $value:ty;)*) => {
                $(copy.table(self.tables.$field()?, $name)?;)*
            };
        }
        tables!(copy);
        transaction.commit()?;
        Ok(())
    }
}

/// A copy that is under way.
struct Copy<'a> {
    to: &'a WriteTransaction,
    told: &'a mut Progress<'a>,
    done: u64,
    of: u64,
}

impl Copy<'_> {
    /// Copies one table in the order of its keys, which makes the densest file.
    fn table<K: Key + 'static, V: Value + 'static>(
        &mut self,
        from: &ReadOnlyTable<K, V>,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<(), StoreError> {
        let mut to = self.to.open_table(definition)?;
        for row in from.iter()? {
            let (key, value) = row?;
            to.insert(key.value(), value.value())?;
            self.done += 1;
            if self.done.is_multiple_of(PART) && !(self.told)(self.done, self.of) {
                return Err(StoreError::BrokenOff);
            }
        }
        Ok(())
    }
}

fn new_file(file: &Path) -> Result<std::fs::File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(options.open(file)?)
}
