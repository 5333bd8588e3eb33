//! The engine and its series: what has happened is counted, what is shown is noted, and who reads it gets a reader.

use crate::engine::{Engine, Outputs};
use crate::error::StoreError;
use crate::series::{Resolution, Statistics};

impl Engine {
    /// When [`Engine::fire`] has bins of series to close, in milliseconds since 1970. What is pending closes them with its commit.
    pub fn next_close(&self) -> Option<u64> {
        let idle = self.series.as_ref().filter(|_| !self.pending.dirty);
        idle.and_then(|series| series.lock().next_close())
    }

    /// Whether bins are to be closed by now.
    pub(crate) fn has_to_close(&self) -> bool {
        let next = self.series.as_ref().and_then(|series| series.lock().next_close());
        next.is_some_and(|at| at <= self.now)
    }

    /// Counts what has happened since this was called last into the series. A commit does so as well.
    pub fn count_series(&mut self) {
        let from = std::mem::replace(&mut self.counted, self.pending.records.len());
        let Some(series) = &self.series else { return };
        let mut series = series.lock();
        self.pending.records[from..].iter().for_each(|record| series.take(record));
    }

    /// Notes what outputs show from now on.
    pub(crate) fn note_levels(&self, outputs: &Outputs) {
        let Some(series) = &self.series else { return };
        let mut series = series.lock();
        for ((channel, name), text) in outputs {
            series.level(channel, name, text.as_deref(), self.now);
        }
    }

    /// What was counted over time, for who reads it on another thread. A run counts nothing.
    pub fn statistics(&self) -> Option<Statistics> {
        Some(self.store.statistics(self.series.clone()?))
    }

    /// Deletes the bins of series that have been kept long enough, in milliseconds by resolution; says how many blocks that
    /// were.
    pub fn expire_series(&mut self, kept: impl Fn(Resolution) -> u64) -> Result<u64, StoreError> {
        self.store.expire_series(self.now, kept)
    }
}
