//! The file of the store, which counts what is written to it: the wear of an SD card.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};

use crate::store::verification::Verification;

/// What was written to the store's file since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// Bytes, as they were given to the system.
    pub bytes: u64,
    /// How often the system was asked to put them on the disk.
    pub syncs: u64,
}

/// Counters that a store shares with its file.
#[derive(Debug, Clone, Default)]
pub(crate) struct DiskCounters(Arc<(AtomicU64, AtomicU64)>);

impl DiskCounters {
    pub(crate) fn read(&self) -> DiskUse {
        let (bytes, syncs) = &*self.0;
        DiskUse { bytes: bytes.load(Ordering::Relaxed), syncs: syncs.load(Ordering::Relaxed) }
    }
}

/// redb's own way to a file, and beside it what counts and what is told.
#[derive(Debug)]
pub(crate) struct Disk {
    file: FileBackend,
    counters: DiskCounters,
    verification: Verification,
}

impl Disk {
    pub(crate) fn new(
        file: File,
        counters: DiskCounters,
        verification: Verification,
    ) -> Result<Self, DatabaseError> {
        Ok(Self { file: FileBackend::new(file)?, counters, verification })
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.verification.read(offset, out.len());
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.counters.0.1.fetch_add(1, Ordering::Relaxed);
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.counters.0.0.fetch_add(data.len() as u64, Ordering::Relaxed);
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    // The locks are what refuses a second process on the same store.

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use crate::store::Store;

    #[test]
    fn what_a_store_writes_is_counted_and_a_second_owner_refused() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("heat.redb");
        let store = Store::open(&file)?;
        let used = store.disk();
        assert!(used.bytes > 0 && used.syncs > 0, "{used:?}");
        assert!(Store::open(&file).is_err());
        drop(store);
        Store::open(&file)?;
        assert_eq!(Store::in_memory()?.disk().bytes, 0);
        Ok(())
    }
}
