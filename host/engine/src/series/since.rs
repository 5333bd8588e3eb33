//! Since when a channel is known. Before that nothing was counted, which is not the same as zero.

use super::block;
use super::query::Statistics;
use super::resolution::Resolution;
use crate::error::StoreError;
use crate::store::streams::PastStream;

impl Statistics {
    /// When the channel was heard first, in milliseconds since 1970: its first count, or its first state in the log where that is earlier. None
    /// while nothing is known of it.
    pub fn known_since(&self, channel: &str) -> Result<Option<u64>, StoreError> {
        let counted = self.first_counted(channel)?;
        let noted = self.store.snapshot()?.first_checkpoint(channel)?;
        Ok(counted.into_iter().chain(noted).min())
    }

    /// The last streams of a channel, as [`crate::Snapshot::last_streams`] has them.
    pub fn last_streams(&self, channel: &str, most: usize) -> Result<Vec<PastStream>, StoreError> {
        self.store.snapshot()?.last_streams(channel, most)
    }

    /// The first bin of the first hour, as fine as there still is one of it: finer bins are kept for less long.
    fn first_counted(&self, channel: &str) -> Result<Option<u64>, StoreError> {
        let Some(hour) = self.first_bin(channel, Resolution::Hour)? else { return Ok(None) };
        for resolution in Resolution::ALL {
            let first = self
                .first_bin(channel, resolution)?
                .filter(|at| *at < hour + Resolution::Hour.width());
            if first.is_some() {
                return Ok(first);
            }
        }
        Ok(Some(hour))
    }

    /// Where the first bin starts in which something was counted.
    fn first_bin(&self, channel: &str, resolution: Resolution) -> Result<Option<u64>, StoreError> {
        let start_of = |start: u64, place: u32| start + u64::from(place) * resolution.width();
        let in_memory = {
            let open = &self.shared.read()?.open;
            let starts = open.starts(channel, resolution).into_iter();
            let bins =
                starts.filter_map(|start| Some((start, open.bins(channel, resolution, start)?)));
            let firsts = bins.flat_map(|(start, bins)| {
                bins.values().filter_map(move |bins| Some(start_of(start, bins.first()?.place)))
            });
            firsts.min()
        };
        let code = resolution.code();
        let snapshot = self.store.snapshot()?;
        let blocks = snapshot.tables.blocks()?;
        let Some(row) = blocks.range((channel, code, 0)..=(channel, code, u64::MAX))?.next() else {
            return Ok(in_memory);
        };
        let (key, value) = row?;
        let start = key.value().2;
        let mut first = in_memory;
        let mut take = |at: u64| first = Some(first.map_or(at, |first| first.min(at)));
        block::read(value.value(), |_| true, |_, bin| take(start_of(start, bin.place)))?;
        Ok(first)
    }
}
