//! Times in which a channel's chat was not heard. They are marks in the log for people: chat cannot be asked for again, and
//! neither counts nor rules nor runs know of them.

use crate::engine::Engine;
use crate::error::StoreError;
use crate::store::log::{Block, Record};
use crate::store::tables::Snapshot;

/// When a run has ended by itself.
const ENDED: &str = "ended";

impl Engine {
    /// Notes that a channel is heard again, which it was not since `from`. Times are in milliseconds since 1970.
    pub fn gap(&mut self, now: u64, channel: &str, from: u64, why: &str) {
        if !self.channels.contains_key(channel) {
            return;
        }
        self.now = self.now.max(now);
        let (now, channel, why) = (self.now, channel.to_owned(), why.to_owned());
        self.pending.record(Record::Gap { now, channel, from: from.min(now), why });
    }

    /// Notes that nothing is heard from now on: the run ends. Where that could not be noted, the newest record has to do.
    pub fn end(&self, now: u64) -> Result<(), StoreError> {
        self.store.keep_time(ENDED, now.max(self.now))
    }
}

impl Snapshot {
    /// Until when a run has heard what there was to hear, at least; 0 for a new store.
    pub fn heard_until(&self) -> Result<u64, StoreError> {
        Ok(self.newest()?.max(self.meta(ENDED)?))
    }

    /// The gaps that ended at this time or later, oldest first.
    pub fn gaps_since(&self, at: u64) -> Result<Vec<Record>, StoreError> {
        let mut blocks = Vec::new();
        for row in redb::ReadableTable::iter(&self.log)?.rev() {
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
