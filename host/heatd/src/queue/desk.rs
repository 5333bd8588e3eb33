//! The engine for who has something to do on its thread, and the records for who follows what happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use heat_engine::{Engine, Record, Rule, StoreError};
use tracing::warn;

/// How many records a follower may be behind before it is let go: it would fill the memory.
const MOST_BEHIND: usize = 200_000;

/// How many groups of records, likewise.
const GROUPS_BEHIND: usize = 16_384;

/// Something that somebody wants done on the engine's thread, between two events. Everything before it is committed.
pub(crate) type Task = Box<dyn FnOnce(&mut Desk<'_>) -> Result<(), StoreError> + Send>;

/// Something to do once what a task has done is durable.
pub(crate) type After = Box<dyn FnOnce() + Send>;

/// What a task has before it.
pub(crate) struct Desk<'a> {
    pub(crate) engine: &'a mut Engine,
    pub(crate) taps: &'a mut Taps,
    pub(crate) afters: &'a mut Vec<After>,
}

impl Desk<'_> {
    /// Does this once what the task has done is durable.
    pub(crate) fn after(&mut self, after: impl FnOnce() + Send + 'static) {
        self.afters.push(Box::new(after));
    }
}

/// What a follower is told.
pub(crate) enum Told<A> {
    /// What happened, in order.
    Records(Vec<Record>),
    /// The rules that run now: the next records may speak of one that was not there when the run began.
    Rules(Vec<(String, Rule)>),
    /// The engine waits: this is all so far.
    Asked(A),
}

/// The one question that a follower is asked: for what it has made of the records so far.
pub(crate) type Question = Box<dyn FnOnce(&mut heat_engine::Run) -> Result<(), StoreError> + Send>;

/// Those who follow what happens in a channel.
#[derive(Default)]
pub(crate) struct Taps {
    taps: Vec<Tap>,
}

/// The engine's end of a follower.
#[derive(Clone)]
pub(crate) struct Tap {
    channel: Arc<str>,
    records: mpsc::SyncSender<Told<Question>>,
    behind: Arc<AtomicUsize>,
}

/// A follower's end.
pub(crate) struct Follower {
    pub(crate) told: mpsc::Receiver<Told<Question>>,
    behind: Arc<AtomicUsize>,
}

impl Follower {
    /// These records are done with.
    pub(crate) fn done(&self, records: usize) {
        self.behind.fetch_sub(records, Ordering::Relaxed);
    }
}

impl Tap {
    /// Asks the follower, after everything that it was told before. False: it is gone.
    pub(crate) fn ask(&self, question: Question) -> bool {
        self.records.try_send(Told::Asked(question)).is_ok()
    }
}

impl Taps {
    /// From the next record on somebody follows.
    pub(crate) fn open(&mut self, channel: &str) -> (Tap, Follower) {
        let (records, told) = mpsc::sync_channel(GROUPS_BEHIND);
        let behind = Arc::new(AtomicUsize::new(0));
        let tap = Tap { channel: channel.into(), records, behind: Arc::clone(&behind) };
        self.taps.push(tap.clone());
        (tap, Follower { told, behind })
    }

    /// Lets a follower go.
    pub(crate) fn close(&mut self, tap: &Tap) {
        self.taps.retain(|it| !Arc::ptr_eq(&it.behind, &tap.behind));
    }

    /// Tells the followers what has happened since they were told last.
    pub(crate) fn tell(&mut self, engine: &mut Engine) {
        let records = engine.untold();
        if records.is_empty() || self.taps.is_empty() {
            return;
        }
        let records = records.to_vec();
        self.taps.retain(|tap| {
            let mine = records.iter().filter(|record| record.channel() == &*tap.channel);
            let mine: Vec<Record> = mine.cloned().collect();
            if mine.is_empty() {
                return true;
            }
            if mine.iter().any(|record| matches!(record, Record::Chain { .. })) {
                let rules = engine.rules(&tap.channel).unwrap_or_default();
                // Where nobody follows any more, the records find that out.
                let _ = tap.records.try_send(Told::Rules(rules));
            }
            let is_far = tap.behind.fetch_add(mine.len(), Ordering::Relaxed) > MOST_BEHIND;
            match tap.records.try_send(Told::Records(mine)) {
                Ok(()) if !is_far => true,
                Err(mpsc::TrySendError::Disconnected(_)) => false,
                _ => {
                    warn!(
                        channel = &*tap.channel,
                        "a run is too far behind what happens; it is ended"
                    );
                    false
                }
            }
        });
    }
}
