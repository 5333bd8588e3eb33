//! The engine's side of the series: it feeds them with records and outputs, and hands out a reader.

use crate::engine::{Engine, Outputs};
use crate::error::StoreError;
use crate::series::query::Statistics;
use crate::series::resolution::Resolution;
use crate::series::store::expire;

/// How many blocks are deleted at once. Events have to wait for a deletion, so it stays short.
const MOST_EXPIRED: usize = 5_000;

impl Engine {
    /// When [`Engine::fire`] has bins of series to close, in milliseconds since 1970. What is pending closes them with its commit.
    pub fn next_close(&self) -> Option<u64> {
        let idle = self.series.as_ref().filter(|_| !self.pending.is_dirty());
        idle.and_then(|series| series.shared().next_close(self.now))
    }

    /// Whether bins are to be closed by now.
    pub(crate) fn has_to_close(&self) -> Result<bool, StoreError> {
        self.check_series()?;
        Ok(self.series.as_ref().is_some_and(|series| series.shared().has_to_close(self.now)))
    }

    /// An error of the thread that reads the log after a start is one of the engine.
    pub(crate) fn check_series(&self) -> Result<(), StoreError> {
        self.series.as_ref().map_or(Ok(()), |series| series.shared().check())
    }

    /// Counts what has happened since this was called last into the series. A commit does so as well.
    pub fn count_series(&mut self) {
        let from = std::mem::replace(&mut self.counted, self.pending.records().len());
        let Some(series) = &self.series else { return };
        series.shared().take(&self.pending.records()[from..]);
    }

    /// Notes what outputs show from now on.
    pub(crate) fn note_levels(&self, outputs: &Outputs) {
        let Some(series) = &self.series else { return };
        for ((channel, name), text) in outputs {
            series.shared().level(channel, name, text.as_deref(), self.now);
        }
    }

    /// A cloneable reader of the series, for other threads. None in a run, which counts nothing.
    ///
    /// After a start, reads wait until the log of the last hour is read: seconds, where it holds millions of lines.
    pub fn statistics(&self) -> Option<Statistics> {
        Some(self.series.as_ref()?.statistics(&self.store))
    }

    /// As much of this time as no start needs: what is in no bin of the store is counted from the log again.
    pub(crate) fn not_needed(&self, before: u64) -> u64 {
        self.series.as_ref().map_or(before, |series| before.min(series.shared().needs_since()))
    }

    /// Deletes bins of series that have been kept long enough, in milliseconds by resolution, and says whether that were all of them.
    pub fn expire_series(&mut self, kept: impl Fn(Resolution) -> u64) -> Result<bool, StoreError> {
        let removed = expire(&self.store, self.now, kept, MOST_EXPIRED)?;
        Ok(removed < MOST_EXPIRED)
    }
}
