//! Deletes what the log has held for long enough.

use std::collections::BTreeMap;

use redb::{ReadableTable, Table};

use super::Store;
use crate::error::StoreError;
use crate::store::log::Block;
use crate::store::record::Record;
use crate::store::tables::{CHECKPOINTS, LOG};

impl Store {
    /// Deletes the blocks of the log whose records are all older than this time, and says how many they were. The last
    /// chain of each channel among them is kept, in the place of the last block that went.
    pub(crate) fn expire_log(&self, before: u64) -> Result<u64, StoreError> {
        let removed = self.write_if_changed(|transaction| {
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
            Ok(if removed > 1 || more_than_chains { removed } else { 0 })
        })?;
        Ok(removed as u64)
    }
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
