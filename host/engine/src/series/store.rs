//! The stored blocks: written once when they close, added to when a line comes late, deleted when they are old.

use redb::{ReadableTable, Table, WriteTransaction};

use super::block::{Bins, decode, encode};
use super::names::Names;
use super::open::Open;
use super::resolution::Resolution;
use crate::error::StoreError;
use crate::store::Store;
use crate::store::tables::{BLOCKS, Bytes, META, Text};

/// The name of the time up to which blocks are closed, among the single numbers.
pub(super) const CLOSED: &str = "series-closed";

/// The name of the first record of the log that came after that.
pub(super) const COUNTED: &str = "series-counted";

impl Open {
    /// Writes the blocks that have ended by now, and what came late for others. The log has been written.
    pub(super) fn write(
        &mut self,
        transaction: &WriteTransaction,
        now: u64,
    ) -> Result<(), StoreError> {
        self.close(now);
        self.writes = true;
        self.names.write(transaction)?;
        let next = transaction.open_table(META)?.get("next-record")?.map(|next| next.value());
        self.counted = next.unwrap_or_default();
        self.write_place(transaction)?;
        if self.closing.is_empty() && self.late.is_empty() {
            return Ok(());
        }
        let mut blocks = transaction.open_table(BLOCKS)?;
        for ((channel, resolution, start), bins) in self.closing.iter().chain(&self.late) {
            self.put(&mut blocks, (channel, resolution.code(), *start), bins)?;
        }
        Ok(())
    }

    /// Writes what outputs show in the finest blocks that are open: a start reads it there, and the rest from the log.
    pub(super) fn keep_levels(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        self.names.write(transaction)?;
        let mut blocks = transaction.open_table(BLOCKS)?;
        let finest = Resolution::Second;
        for (channel, start, bins) in self.open_blocks(finest) {
            let levels = bins.iter().filter(|(series, _)| self.names.is_level(**series));
            let levels: Bins = levels.map(|(series, bins)| (*series, bins.clone())).collect();
            if !levels.is_empty() {
                self.put(&mut blocks, (channel, finest.code(), start), &levels)?;
            }
        }
        Ok(())
    }

    /// Adds bins to a block of the store.
    fn put(
        &self,
        blocks: &mut Table<'_, (Text, u8, u64), Bytes>,
        key: (&str, u8, u64),
        bins: &Bins,
    ) -> Result<(), StoreError> {
        let stored = blocks.get(key)?.map(|block| decode(block.value())).transpose()?;
        let bytes = match stored {
            Some(stored) => encode(&self.merged(stored, bins)),
            None => encode(bins),
        };
        blocks.insert(key, bytes.as_slice())?;
        Ok(())
    }

    /// Notes up to where everything is in the blocks of the store or in the log.
    pub(super) fn write_place(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut meta = transaction.open_table(META)?;
        meta.insert(CLOSED, self.closed)?;
        meta.insert(COUNTED, self.counted)?;
        Ok(())
    }

    fn merged(&self, mut stored: Bins, more: &Bins) -> Bins {
        for (&series, bins) in more {
            let is_level = self.names.is_level(series);
            let known = stored.entry(series).or_default();
            for bin in bins {
                match known.binary_search_by_key(&bin.place, |bin| bin.place) {
                    Ok(found) => {
                        let known = &mut known[found];
                        known.count = match is_level {
                            true => bin.count,
                            false => known.count.saturating_add(bin.count),
                        };
                        known.people = known.people.saturating_add(bin.people);
                    }
                    Err(place) => known.insert(place, *bin),
                }
            }
        }
        stored
    }
}

/// Deletes the blocks that ended before their time was up, at most so many, and says how many they were.
pub(crate) fn expire(
    store: &Store,
    now: u64,
    kept: impl Fn(Resolution) -> u64,
    most: usize,
) -> Result<usize, StoreError> {
    store.write_if_changed(|transaction| expire_in(transaction, now, kept, most))
}

fn expire_in(
    transaction: &WriteTransaction,
    now: u64,
    kept: impl Fn(Resolution) -> u64,
    most: usize,
) -> Result<usize, StoreError> {
    let mut blocks = transaction.open_table(BLOCKS)?;
    let mut removed = 0;
    for channel in channels(&blocks)? {
        for resolution in Resolution::ALL {
            let before = now.saturating_sub(kept(resolution).saturating_add(resolution.block()));
            let key = |start| (channel.as_str(), resolution.code(), start);
            let stays = blocks.range(key(0)..key(before))?.nth(most - removed);
            let end = stays.transpose()?.map_or(before, |(place, _)| place.value().2);
            blocks.retain_in(key(0)..key(end), |_, _| {
                removed += 1;
                false
            })?;
        }
    }
    Ok(removed)
}

/// Gives the blocks of a channel to its new name. Where both have one, it has what both counted; what outputs showed is that of the new name.
pub(crate) fn rename(
    transaction: &WriteTransaction,
    names: Names,
    (old, new): (&str, &str),
) -> Result<(), StoreError> {
    let open = Open::new(names, 0, 0);
    let mut blocks = transaction.open_table(BLOCKS)?;
    loop {
        let first = blocks.range((old, 0, 0)..=(old, u8::MAX, u64::MAX))?.next().transpose()?;
        let Some((resolution, start, bytes)) = first.map(|(key, block)| {
            let (_, resolution, start) = key.value();
            (resolution, start, block.value().to_vec())
        }) else {
            return Ok(());
        };
        blocks.remove((old, resolution, start))?;
        let known = blocks.get((new, resolution, start))?;
        let bytes = match known.map(|block| decode(block.value())).transpose()? {
            Some(known) => encode(&open.merged(decode(&bytes)?, &known)),
            None => bytes,
        };
        blocks.insert((new, resolution, start), bytes.as_slice())?;
    }
}

/// The channels that have blocks, also those that are not configured any more.
pub(super) fn channels(
    blocks: &impl ReadableTable<(&'static str, u8, u64), &'static [u8]>,
) -> Result<Vec<String>, StoreError> {
    let mut channels: Vec<String> = Vec::new();
    loop {
        let last = channels.last().map_or("", String::as_str);
        let next = blocks.range((last, u8::MAX, u64::MAX)..)?.next();
        let Some(row) = next else { return Ok(channels) };
        channels.push(row?.0.value().0.to_owned());
    }
}
