//! How far the verification of a store is: a large one on a slow card takes minutes, and whoever waits has to hear that it goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

/// What is read is noted in pieces of so many bytes: redb's smallest page.
const PIECE: u64 = 4096;

/// Shared by the thread that verifies and by those who tell people. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Verification(Arc<Reading>);

#[derive(Debug, Default)]
struct Reading {
    is_under_way: AtomicBool,
    /// The size of the file, in pieces.
    all: AtomicU64,
    /// How many pieces were read at least once.
    done: AtomicU64,
    /// Which: a bit for each. Pages above the leaves are read more than once.
    seen: Mutex<Vec<u64>>,
}

impl Verification {
    /// How much of the file was read so far, in percent of its size; none when nothing is being verified. A file has room that is not in use, so
    /// it may end well before 100.
    pub fn percent(&self) -> Option<u64> {
        let Reading { is_under_way, all, done, .. } = &*self.0;
        let all = all.load(Ordering::Relaxed).max(1);
        is_under_way
            .load(Ordering::Relaxed)
            .then(|| (done.load(Ordering::Relaxed) * 100 / all).min(99))
    }

    pub(crate) fn begin(&self, bytes: u64) {
        let pieces = bytes.div_ceil(PIECE);
        *self.0.seen.lock() = vec![0; pieces.div_ceil(64) as usize];
        self.0.all.store(pieces, Ordering::Relaxed);
        self.0.done.store(0, Ordering::Relaxed);
        self.0.is_under_way.store(true, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.0.is_under_way.store(false, Ordering::Relaxed);
        *self.0.seen.lock() = Vec::new();
    }

    /// Notes what was read. It costs nothing once the store is verified.
    pub(crate) fn read(&self, offset: u64, bytes: usize) {
        if bytes == 0 || !self.0.is_under_way.load(Ordering::Relaxed) {
            return;
        }
        let mut seen = self.0.seen.lock();
        let last = (offset + bytes as u64 - 1) / PIECE;
        let mut new = 0;
        for piece in offset / PIECE..=last {
            let Some(row) = seen.get_mut((piece / 64) as usize) else { break };
            let bit = 1 << (piece % 64);
            new += u64::from(*row & bit == 0);
            *row |= bit;
        }
        self.0.done.fetch_add(new, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn what_is_read_again_is_no_progress_and_the_end_is_no_percent() {
        let it = Verification::default();
        assert_eq!(it.percent(), None);
        it.begin(100 * PIECE);
        assert_eq!(it.percent(), Some(0));
        for _ in 0..3 {
            it.read(0, PIECE as usize);
            it.read(10 * PIECE + 1, 9 * PIECE as usize);
            it.read(0, 0);
        }
        assert_eq!(it.percent(), Some(11));
        // A read beyond the end, and all of it, is no hundred: it is not over.
        it.read(0, 200 * PIECE as usize);
        assert_eq!(it.percent(), Some(99));
        it.end();
        it.read(0, PIECE as usize);
        assert_eq!(it.percent(), None);
    }

    #[test]
    fn opening_a_store_reads_it_and_is_over_when_it_is_open() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("heat.redb");
        drop(Store::open(&file)?);
        let it = Verification::default();
        let _store = Store::open_watched(&file, &it)?;
        assert_eq!(it.percent(), None);
        assert!(it.0.done.load(Ordering::Relaxed) > 0, "nothing was noted");
        Ok(())
    }
}
