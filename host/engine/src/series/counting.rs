//! The series in the hand of the engine.

use super::query::Statistics;
use super::recover::{Recovery, recover};
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

    /// A reader, for other threads.
    pub(crate) fn statistics(&self, store: &Store) -> Statistics {
        Statistics::new(store.clone(), self.shared.clone())
    }

    pub(crate) fn shared(&self) -> &SharedSeries {
        &self.shared
    }
}
