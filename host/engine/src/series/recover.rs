//! After a start: the blocks that were open, made anew from the log.

use super::block;
use super::names::Names;
use super::store::{CLOSED, channels};
use super::{Open, Resolution, SLACK};
use crate::error::StoreError;
use crate::tables::Snapshot;

/// Reads what is in no stored block from the log of the last hour; what outputs showed is not in it, but in the finest blocks.
pub(crate) fn recover(snapshot: &Snapshot) -> Result<Open, StoreError> {
    let closed = match snapshot.meta(CLOSED)? {
        // A store from before there were series: they begin now.
        0 => snapshot.newest()?,
        closed => closed,
    };
    let mut open = Open::new(Names::read(snapshot)?, closed);
    open.recovers = true;
    let from = oldest(closed);
    snapshot.each_since(from, |record| open.take(&record))?;
    let finest = Resolution::Second.code();
    for channel in channels(&snapshot.blocks)? {
        let late = (channel.as_str(), finest, from)..=(channel.as_str(), finest, u64::MAX);
        for row in snapshot.blocks.range(late)? {
            let (key, block) = row?;
            levels(&mut open, &channel, key.value().2, block.value())?;
        }
    }
    open.recovers = false;
    Ok(open)
}

/// Takes what outputs have shown second by second into the wider bins.
fn levels(open: &mut Open, channel: &str, start: u64, bytes: &[u8]) -> Result<(), StoreError> {
    let mut found = Vec::new();
    block::read(
        bytes,
        |series| open.names.is_level(series),
        |series, bin| found.push((series, bin)),
    )?;
    for (series, bin) in found {
        let at = start + u64::from(bin.place) * Resolution::Second.width();
        open.set(channel, series, at, bin.count);
    }
    Ok(())
}

/// When the oldest block began that was not closed by then: blocks begin at whole multiples of their width.
fn oldest(closed: u64) -> u64 {
    let widest = Resolution::ALL.into_iter().map(Resolution::block).max().unwrap_or_default();
    let ended = closed.checked_sub(widest + SLACK);
    ended.map_or(0, |ended| (ended / widest + 1) * widest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_of_the_log_is_read_than_may_be_open() {
        const HOUR: u64 = 3_600_000;
        // The hour before is open until its last lines may have come.
        for (closed, expected) in [
            (0, 0),
            (HOUR + SLACK - 1, 0),
            (HOUR + SLACK, HOUR),
            (5 * HOUR + HOUR / 2, 5 * HOUR),
            (6 * HOUR + SLACK - 1, 5 * HOUR),
            (6 * HOUR + SLACK, 6 * HOUR),
        ] {
            assert_eq!(oldest(closed), expected, "{closed}");
        }
    }
}
