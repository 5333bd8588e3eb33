//! Until when heatd heard what there was to hear, and the gaps in that.

use redb::ReadableTable;

use crate::error::StoreError;
use crate::store::log::Block;
use crate::store::record::Record;
use crate::store::snapshot::Snapshot;

/// When a run has ended by itself.
pub(crate) const ENDED: &str = "ended";

impl Snapshot {
    /// Until when a run has heard what there was to hear, at least; 0 for a new store.
    pub fn heard_until(&self) -> Result<u64, StoreError> {
        Ok(self.newest()?.max(self.meta(ENDED)?))
    }

    /// The gaps that ended at this time or later, oldest first.
    pub fn gaps_since(&self, at: u64) -> Result<Vec<Record>, StoreError> {
        let mut blocks = Vec::new();
        for row in self.tables.log()?.iter()?.rev() {
            let (_, block) = row?;
            let (_, last_at, _, compressed) = block.value();
            if last_at < at {
                break;
            }
            blocks.push(Block::gaps(compressed)?);
        }
        Ok(blocks.into_iter().rev().flatten().filter(|record| record.at() >= at).collect())
    }
}
