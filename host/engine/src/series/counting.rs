//! The series in the hand of the engine.

use super::query::Statistics;
use super::recover::{Recovery, recover, recover_into};
use super::shared::SharedSeries;
use crate::error::StoreError;
use crate::store::Store;
use crate::store::snapshot::Snapshot;

/// The series of an engine. With it ends what still reads the log.
pub(crate) struct Counting {
    shared: SharedSeries,
    _recovery: Option<Recovery>,
}

impl Counting {
    /// Goes on where this snapshot ends.
    pub(crate) fn begin(snapshot: Snapshot) -> Result<Self, StoreError> {
        let (shared, _recovery) = recover(snapshot)?;
        Ok(Self { shared, _recovery })
    }

    /// Starts again where this snapshot ends, for those who read as well: what is stored has changed. Everything that happened is in the log.
    pub(crate) fn begin_again(&mut self, snapshot: Snapshot) -> Result<(), StoreError> {
        // First the thread that reads the log of before ends.
        self._recovery = None;
        self._recovery = recover_into(&self.shared, snapshot)?;
        Ok(())
    }

    /// A reader, for other threads.
    pub(crate) fn statistics(&self, store: &Store) -> Statistics {
        Statistics::new(store.clone(), self.shared.clone())
    }

    pub(crate) fn shared(&self) -> &SharedSeries {
        &self.shared
    }
}
