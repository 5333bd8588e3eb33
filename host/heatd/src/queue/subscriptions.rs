//! Subscriptions: how a run gets copies of the engine's records, and is asked for what it has made of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use heat_engine::{Engine, Record, Rule, StoreError};
use tracing::warn;

/// A subscriber that is more records behind than this is dropped: it would fill the memory.
const MOST_BEHIND: usize = 200_000;

/// The same in groups of records.
const GROUPS_BEHIND: usize = 16_384;

/// What a subscriber gets.
pub(crate) enum Update<A> {
    /// What happened, in order.
    Records(Vec<Record>),
    /// The rules that run now: the next records may speak of one that was not there when the run began.
    Rules(Vec<(String, Rule)>),
    /// The engine waits for an answer. Every record before it has been sent.
    Asked(A),
}

/// A question to a subscriber: what its run has made of the records so far.
pub(crate) type Question = Box<dyn FnOnce(&mut heat_engine::Run) -> Result<(), StoreError> + Send>;

/// All subscriptions.
#[derive(Default)]
pub(crate) struct Subscriptions {
    subscriptions: Vec<Subscription>,
}

/// The engine's end of a subscriber.
#[derive(Clone)]
pub(crate) struct Subscription {
    channel: Arc<str>,
    records: mpsc::SyncSender<Update<Question>>,
    behind: Arc<AtomicUsize>,
}

/// A subscriber's end.
pub(crate) struct Subscriber {
    pub(crate) told: mpsc::Receiver<Update<Question>>,
    behind: Arc<AtomicUsize>,
}

impl Subscriber {
    /// Call when this many records are worked through.
    pub(crate) fn done(&self, records: usize) {
        self.behind.fetch_sub(records, Ordering::Relaxed);
    }
}

impl Subscription {
    /// Queues a question behind all records that were sent. False: the subscriber is gone.
    pub(crate) fn ask(&self, question: Question) -> bool {
        self.records.try_send(Update::Asked(question)).is_ok()
    }
}

impl Subscriptions {
    /// Adds a subscriber, which gets all records of a channel from the next one on.
    pub(crate) fn open(&mut self, channel: &str) -> (Subscription, Subscriber) {
        let (records, told) = mpsc::sync_channel(GROUPS_BEHIND);
        let behind = Arc::new(AtomicUsize::new(0));
        let subscription =
            Subscription { channel: channel.into(), records, behind: Arc::clone(&behind) };
        self.subscriptions.push(subscription.clone());
        (subscription, Subscriber { told, behind })
    }

    /// Drops a subscriber.
    pub(crate) fn close(&mut self, subscription: &Subscription) {
        self.subscriptions.retain(|it| !Arc::ptr_eq(&it.behind, &subscription.behind));
    }

    /// Sends the followers all records since the last call.
    pub(crate) fn tell(&mut self, engine: &mut Engine) {
        let records = engine.take_unpublished();
        if records.is_empty() || self.subscriptions.is_empty() {
            return;
        }
        let records = records.to_vec();
        self.subscriptions.retain(|subscription| {
            let mine = records.iter().filter(|record| record.channel() == &*subscription.channel);
            let mine: Vec<Record> = mine.cloned().collect();
            if mine.is_empty() {
                return true;
            }
            if mine.iter().any(|record| matches!(record, Record::Chain { .. })) {
                let rules = engine.rules(&subscription.channel).unwrap_or_default();
                // A subscriber that is gone is found by the records below.
                let _ = subscription.records.try_send(Update::Rules(rules));
            }
            let is_far = subscription.behind.fetch_add(mine.len(), Ordering::Relaxed) > MOST_BEHIND;
            match subscription.records.try_send(Update::Records(mine)) {
                Ok(()) if !is_far => true,
                Err(mpsc::TrySendError::Disconnected(_)) => false,
                _ => {
                    warn!(
                        channel = &*subscription.channel,
                        "a run is too far behind what happens; it is ended"
                    );
                    false
                }
            }
        });
    }
}
