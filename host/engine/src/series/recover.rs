//! After a start: the blocks that were open, made anew from the log.

use redb::ReadableTable;

use super::block;
use super::names::Names;
use super::store::CLOSED;
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
    for row in snapshot.blocks.iter()? {
        let (key, block) = row?;
        let (channel, code, start) = key.value();
        if code == Resolution::Second.code() && start >= from {
            levels(&mut open, channel, start, block.value())?;
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

/// When the oldest block began that was not closed by then.
fn oldest(closed: u64) -> u64 {
    let widest = Resolution::ALL.into_iter().map(Resolution::block).max().unwrap_or_default();
    let before = closed.saturating_sub(widest + SLACK);
    before - before % widest
}
