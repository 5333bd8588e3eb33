//! The open series, shared by two sides: the engine, which adds to them, and readers on other threads.
//!
//! After a start the log of the last hour is read, on a thread of its own. Until then the engine keeps what happens as it came, and readers
//! wait: so every bin has what came before the start and what came after it in the order of the log, as if nothing had stopped.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};
use redb::WriteTransaction;

use super::open::Open;
use super::resolution::oldest;
use crate::contract::Happening;
use crate::contract::event::is_order;
use crate::error::StoreError;
use crate::store::record::Record;

/// How many records may wait while the log is read. Beyond that the engine waits for the end of the reading.
const MOST_EARLY: usize = 20_000;

/// The open series. Locked for as long as one event or one answer takes.
#[derive(Clone)]
pub(crate) struct SharedSeries(Arc<(Mutex<Current>, Condvar)>);

pub(super) struct Current {
    /// Empty while the log is read.
    pub(super) open: Open,
    phase: Phase,
}

enum Phase {
    /// The log is read. What has happened since the start waits.
    Reads(Vec<Early>),
    Counts,
    /// The log could not be read, and perhaps nobody was told yet.
    Failed(Option<StoreError>),
}

/// What happened before the log was read.
enum Early {
    Record(Record),
    Level { channel: Arc<str>, output: String, text: Option<String>, now: u64 },
}

impl SharedSeries {
    /// Nothing is missing.
    pub(super) fn whole(open: Open) -> Self {
        Self::new(open, Phase::Counts)
    }

    /// Nothing is missing from now on.
    pub(super) fn begin_whole(&self, open: Open) {
        *self.lock() = Current { open, phase: Phase::Counts };
        self.0.1.notify_all();
    }

    /// From now on readers wait for [`SharedSeries::adopt`].
    pub(super) fn begin_unread(&self, open: Open) {
        *self.lock() = Current { open, phase: Phase::Reads(Vec::new()) };
    }

    #[cfg(test)]
    fn unread(open: Open) -> Self {
        Self::new(open, Phase::Reads(Vec::new()))
    }

    fn new(open: Open, phase: Phase) -> Self {
        Self(Arc::new((Mutex::new(Current { open, phase }), Condvar::new())))
    }

    /// The series as they are now. While the log is read they are incomplete, so answers must not use this.
    pub(super) fn lock(&self) -> MutexGuard<'_, Current> {
        self.0.0.lock()
    }

    /// The series, once the log is read: it waits for that.
    pub(super) fn read(&self) -> Result<MutexGuard<'_, Current>, StoreError> {
        let current = self.settled(self.lock());
        match current.phase {
            Phase::Failed(_) => Err(StoreError::Uncounted),
            _ => Ok(current),
        }
    }

    /// The series, or none while the log is still read.
    pub(super) fn present(&self) -> Option<MutexGuard<'_, Current>> {
        Some(self.lock()).filter(|current| matches!(current.phase, Phase::Counts))
    }

    pub(super) fn is_read(&self) -> bool {
        self.present().is_some()
    }

    fn settled<'a>(&self, mut current: MutexGuard<'a, Current>) -> MutexGuard<'a, Current> {
        let reads = |current: &mut Current| matches!(current.phase, Phase::Reads(_));
        self.0.1.wait_while(&mut current, reads);
        current
    }

    /// The log is read: what has happened meanwhile is counted, and readers that wait go on.
    pub(super) fn adopt(&self, mut open: Open) {
        loop {
            let mut current = self.lock();
            let Phase::Reads(early) = &mut current.phase else { return };
            let early = std::mem::take(early);
            if early.is_empty() {
                *current = Current { open, phase: Phase::Counts };
                break;
            }
            // The engine need not wait while this is done.
            drop(current);
            early.into_iter().for_each(|it| open.take_early(it));
        }
        self.0.1.notify_all();
    }

    /// The log cannot be read, or the engine is closed.
    pub(super) fn fail(&self, error: Option<StoreError>) {
        self.lock().phase = Phase::Failed(error);
        self.0.1.notify_all();
    }

    /// Why the log could not be read.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match &mut self.lock().phase {
            Phase::Failed(error) => Err(error.take().unwrap_or(StoreError::Uncounted)),
            _ => Ok(()),
        }
    }

    /// Counts what records say has happened.
    pub(crate) fn take(&self, records: &[Record]) {
        let mut current = self.lock();
        if matches!(&current.phase, Phase::Reads(early) if early.len() >= MOST_EARLY) {
            current = self.settled(current);
        }
        let Current { open, phase } = &mut *current;
        match phase {
            Phase::Reads(early) => {
                let counted = records.iter().filter(|record| is_counted(record));
                early.extend(counted.cloned().map(Early::Record));
            }
            _ => records.iter().for_each(|record| open.take(record)),
        }
    }

    /// Notes what an output shows now.
    pub(crate) fn level(&self, channel: &Arc<str>, output: &str, text: Option<&str>, now: u64) {
        let Current { open, phase } = &mut *self.lock();
        match phase {
            Phase::Reads(early) => early.push(Early::Level {
                channel: Arc::clone(channel),
                output: output.to_owned(),
                text: text.map(str::to_owned),
                now,
            }),
            _ => open.level(channel, output, text, now),
        }
    }

    /// When the next block closes, or when to ask again because the log is still read; none while there is none.
    pub(crate) fn next_close(&self, now: u64) -> Option<u64> {
        const AGAIN: u64 = 1_000;
        let current = self.lock();
        match current.phase {
            Phase::Counts => current.open.next_close(),
            _ => Some(now + AGAIN),
        }
    }

    /// Whether blocks are to be closed by now.
    pub(crate) fn has_to_close(&self, now: u64) -> bool {
        let current = self.lock();
        let is_read = matches!(current.phase, Phase::Counts);
        is_read && current.open.next_close().is_some_and(|at| at <= now)
    }

    /// Writes what has closed by now, after the log of the same commit. While the log is read, nothing has.
    pub(crate) fn write(&self, transaction: &WriteTransaction, now: u64) -> Result<(), StoreError> {
        let Current { open, phase } = &mut *self.lock();
        match phase {
            Phase::Counts => open.write(transaction, now),
            _ => open.write_place(transaction),
        }
    }

    /// Keeps what outputs have shown since the last block was written: the run ends, and no record has it.
    pub(crate) fn keep_levels(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let Current { open, phase } = &*self.lock();
        match phase {
            Phase::Counts => open.keep_levels(transaction),
            // There are none yet.
            _ => Ok(()),
        }
    }

    /// The store has what was written.
    pub(crate) fn written(&self) {
        self.lock().open.written();
    }

    /// From when on the log is needed: a start would read it.
    pub(crate) fn needs_since(&self) -> u64 {
        oldest(self.lock().open.closed)
    }
}

impl Open {
    fn take_early(&mut self, early: Early) {
        match early {
            Early::Record(record) => self.take(&record),
            Early::Level { channel, output, text, now } => {
                self.level(&channel, &output, text.as_deref(), now);
            }
        }
    }
}

/// Whether [`Open::take`] makes something of it.
fn is_counted(record: &Record) -> bool {
    match record {
        Record::Event { event, .. } => matches!(event.what, Happening::Chat(_)) && !is_order(event),
        Record::Faves { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::contract::{Event, Happening};
    use crate::series::names::What;
    use crate::series::resolution::Resolution;

    fn line(at: u64) -> Record {
        let line = crate::cases::chat_line("ann", "hello").expect("a login says nothing else");
        let (id, channel) = (at.to_string(), "seaside".to_owned());
        let event = Event { id, channel, at, what: Happening::Chat(line) };
        Record::Event { now: at, event: Box::new(event) }
    }

    fn lines(shared: &SharedSeries) -> i64 {
        let current = shared.read().expect("it is read");
        let bins = current.open.bins("seaside", Resolution::Hour, 0);
        bins.map_or(0, |bins| bins[&What::MESSAGES].iter().map(|bin| bin.count).sum())
    }

    #[test]
    fn what_happens_while_the_log_is_read_is_counted_after_it() {
        let shared = SharedSeries::unread(Open::default());
        let channel = Arc::from("seaside");
        shared.level(&channel, "heat", Some("3"), 4_000);
        shared.take(&[line(5_000), line(6_000)]);
        assert!(shared.check().is_ok() && !shared.is_read() && !shared.has_to_close(u64::MAX));
        assert_eq!(shared.next_close(10), Some(1_010));
        let mut open = Open::default();
        open.level("seaside", "heat", Some("2"), 2_000);
        open.take(&line(1_000));
        shared.adopt(open);
        assert_eq!(lines(&shared), 3);
        let current = shared.read().expect("it is read");
        let heat = current.open.names.number(&What::Output("heat".to_owned()));
        let bins = current.open.bins("seaside", Resolution::Hour, 0).expect("it was counted");
        assert_eq!(bins[&heat.expect("it has a number")][0].count, 3_000);
    }

    #[test]
    fn when_too_much_waits_the_engine_does_so_too() {
        let shared = SharedSeries::unread(Open::default());
        let many: Vec<Record> = (0..MOST_EARLY as u64).map(|number| line(number * 100)).collect();
        shared.take(&many);
        assert!(!shared.is_read());
        thread::scope(|scope| {
            let engine = scope.spawn(|| {
                shared.take(&[line(1)]);
                assert!(shared.check().is_err(), "it has not waited");
            });
            shared.fail(None);
            engine.join().expect("it waits");
        });
    }

    #[test]
    fn a_log_that_cannot_be_read_is_an_error_for_everybody() {
        let shared = SharedSeries::unread(Open::default());
        thread::scope(|scope| {
            let waits = scope.spawn(|| shared.read().map(drop));
            shared.fail(Some(StoreError::BrokenOff));
            let told = waits.join().expect("it ends");
            assert!(matches!(told, Err(StoreError::Uncounted)));
        });
        assert!(matches!(shared.check(), Err(StoreError::BrokenOff)));
        assert!(matches!(shared.check(), Err(StoreError::Uncounted)));
        // What comes after that changes nothing.
        shared.adopt(Open::default());
        assert!(!shared.is_read() && !shared.has_to_close(u64::MAX));
    }
}
