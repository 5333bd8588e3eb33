//! After a start: the blocks that were open, made again from the log, while the engine goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use redb::ReadableTableMetadata;
use tracing::info;

use super::block;
use super::names::Names;
use super::open::Open;
use super::resolution::{Resolution, oldest};
use super::shared::SharedSeries;
use super::store::{CLOSED, COUNTED, channels};
use crate::error::StoreError;
use crate::store::guard::guarded;
use crate::store::snapshot::Snapshot;

/// The thread that reads the log. When this is dropped, the thread ends, and nothing uses the store any more.
pub(super) struct Recovery {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Recovery {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic was reported through `fail` already, as any other failure.
            let _ = thread.join();
        }
    }
}

/// Begins to read what is in no stored block, as of this snapshot.
pub(super) fn recover(snapshot: Snapshot) -> Result<(SharedSeries, Option<Recovery>), StoreError> {
    let shared = SharedSeries::whole(Open::default());
    let recovery = recover_into(&shared, snapshot)?;
    Ok((shared, recovery))
}

/// The same for series that somebody has already.
pub(super) fn recover_into(
    shared: &SharedSeries,
    snapshot: Snapshot,
) -> Result<Option<Recovery>, StoreError> {
    // Everything before `closed` is in a stored block, everything from record `counted` on in none.
    let closed = match snapshot.meta(CLOSED)? {
        // A store from before there were series: they begin now.
        0 => snapshot.newest()?,
        closed => closed,
    };
    let counted = snapshot.tables.meta()?.get(COUNTED)?.map(|number| number.value());
    let counted = counted.map_or_else(|| snapshot.next_record(), Ok)?;
    if snapshot.tables.log()?.is_empty()? {
        shared.begin_whole(Open::new(Names::read(&snapshot)?, closed, counted));
        return Ok(None);
    }
    shared.begin_unread(Open::new(Names::default(), closed, counted));
    let stop = Arc::new(AtomicBool::new(false));
    let (reads, ends) = (shared.clone(), Arc::clone(&stop));
    let work = move || {
        let done = guarded(|| {
            let open = read(&snapshot, closed, counted, &ends)?;
            // The snapshot keeps the file in use, and whoever waits for this may want to open it.
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
    Ok(Some(Recovery { stop, thread: Some(thread) }))
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
    // Outputs are in no record, so their levels are rebuilt from the finest stored blocks of the open hour.
    open.recovers = true;
    let finest = Resolution::Second.code();
    for channel in channels(snapshot.tables.blocks()?)? {
        let late = (channel.as_str(), finest, from)..=(channel.as_str(), finest, u64::MAX);
        for row in snapshot.tables.blocks()?.range(late)? {
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
