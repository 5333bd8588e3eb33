//! After a start: the blocks that were open, made anew from the log, while the engine goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use redb::ReadableTableMetadata;
use tracing::info;

use super::block;
use super::names::Names;
use super::store::{CLOSED, COUNTED, channels};
use super::{Open, Resolution, SLACK, Shared};
use crate::error::StoreError;
use crate::store::guarded;
use crate::store::tables::Snapshot;

/// The thread that reads the log. Dropped, it ends it: nothing of the store is in use after that.
pub(crate) struct Recovery {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Recovery {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has told of a panic as of any other failure.
            let _ = thread.join();
        }
    }
}

/// Begins to read what is in no stored block, as of this snapshot.
pub(crate) fn recover(snapshot: Snapshot) -> Result<(Shared, Option<Recovery>), StoreError> {
    let closed = match snapshot.meta(CLOSED)? {
        // A store from before there were series: they begin now.
        0 => snapshot.newest()?,
        closed => closed,
    };
    let counted = snapshot.meta.get(COUNTED)?.map(|number| number.value());
    let counted = counted.map_or_else(|| snapshot.next_record(), Ok)?;
    if snapshot.log.is_empty()? {
        let open = Open::new(Names::read(&snapshot)?, closed, counted);
        return Ok((Shared::whole(open), None));
    }
    let shared = Shared::unread(Open::new(Names::default(), closed, counted));
    let stop = Arc::new(AtomicBool::new(false));
    let (reads, ends) = (shared.clone(), Arc::clone(&stop));
    let work = move || {
        let done = guarded(|| {
            let open = read(&snapshot, closed, counted, &ends)?;
            // Who is told may want to open the store's file.
            drop(snapshot);
            match open {
                Some(open) => reads.adopt(open),
                None => reads.fail(None),
            }
            Ok(())
        });
        if let Err(error) = done {
            reads.fail(Some(error));
        }
    };
    let thread = thread::Builder::new().name("series".to_owned()).spawn(work)?;
    Ok((shared, Some(Recovery { stop, thread: Some(thread) })))
}

/// Reads what is in no stored block from the log of the last hour; what outputs showed is not in it, but in the finest blocks. None: it
/// was told to stop.
fn read(
    snapshot: &Snapshot,
    closed: u64,
    counted: u64,
    stop: &AtomicBool,
) -> Result<Option<Open>, StoreError> {
    let mut open = Open::new(Names::read(snapshot)?, closed, counted);
    let (from, mut count) = (oldest(closed), 0);
    if let Some(first) = snapshot.first_since(from)? {
        for block in snapshot.blocks(first)? {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let (number, records) = block?;
            // What came after the last time that blocks were stored is in none of them, however late it was.
            open.recovers = number < counted;
            for record in records.iter().filter(|record| record.at() >= from) {
                open.take(record);
                count += 1;
            }
        }
    }
    info!(records = count, "the open hour is counted again from the log");
    open.recovers = true;
    let finest = Resolution::Second.code();
    for channel in channels(&snapshot.blocks)? {
        let late = (channel.as_str(), finest, from)..=(channel.as_str(), finest, u64::MAX);
        for row in snapshot.blocks.range(late)? {
            let (key, block) = row?;
            levels(&mut open, &channel, key.value().2, block.value())?;
        }
    }
    open.recovers = false;
    Ok(Some(open))
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
pub(super) fn oldest(closed: u64) -> u64 {
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
