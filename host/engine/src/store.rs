//! The store: one redb file, and everything that is stored in it as rows.
//!
//! The engine's thread is the only writer. Reads go through a [`Snapshot`] of the last commit.

pub(crate) mod backup;
pub(crate) mod changes;
pub(crate) mod checkpoint;
pub(crate) mod counts;
pub(crate) mod dead_letter;
pub(crate) mod disk;
mod expire;
pub(crate) mod forget;
pub(crate) mod guard;
pub(crate) mod history;
mod ids;
pub(crate) mod log;
pub(crate) mod marks;
pub(crate) mod membership;
mod open;
pub(crate) mod people;
pub(crate) mod raw_filter;
pub(crate) mod read_tables;
pub(crate) mod record;
pub(crate) mod rename;
pub(crate) mod schema;
pub(crate) mod snapshot;
pub(crate) mod streams;
pub(crate) mod tables;
pub(crate) mod verification;

use std::sync::Arc;

use redb::{Database, ReadableDatabase, WriteTransaction};

use crate::error::StoreError;
use crate::store::disk::{DiskCounters, DiskUse};
use crate::store::read_tables::ReadTables;
use crate::store::snapshot::Snapshot;

/// The database. One process at a time can have it open; clones are the same one.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    disk: DiskCounters,
}

impl Store {
    /// What was written to the file since it was opened; nothing for a store in memory.
    pub fn disk(&self) -> DiskUse {
        self.disk.read()
    }

    /// The tables as of the last commit.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot { tables: ReadTables::new(self.database.begin_read()?) })
    }

    /// Does all of this in one transaction, durable when this returns. An error leaves the store as it was.
    pub(crate) fn write<V>(
        &self,
        write: impl FnOnce(&WriteTransaction) -> Result<V, StoreError>,
    ) -> Result<V, StoreError> {
        let transaction = self.database.begin_write()?;
        let done = write(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// As [`Store::write`], for what may find nothing to do: without a change nothing is committed.
    pub(crate) fn write_if_changed(
        &self,
        write: impl FnOnce(&WriteTransaction) -> Result<usize, StoreError>,
    ) -> Result<usize, StoreError> {
        let transaction = self.database.begin_write()?;
        let changes = write(&transaction)?;
        match changes {
            0 => transaction.abort()?,
            _ => transaction.commit()?,
        }
        Ok(changes)
    }
}
