//! The engine's thread and its store: the queue before it, its commits, and what they write.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use heat_engine::DiskUse;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// What the engine's thread did between two events. There are some thirty names, all of them in the program.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TaskLabel {
    task: &'static str,
}

pub(super) struct Engine {
    /// By the name of the task that events waited for.
    pause: Family<TaskLabel, Histogram, fn() -> Histogram>,
    /// How long the first event of a group waited.
    pub(super) wait: Histogram,
    pub(super) commit: Histogram,
    pub(super) group: Histogram,
    pub(super) queue: Gauge,
    pub(super) queue_limit: Gauge,
    pub(super) store: Gauge,
    written: Counter,
    syncs: Counter,
    oldest: Gauge<f64, AtomicU64>,
    pub(super) backup: Gauge<f64, AtomicU64>,
}

impl Engine {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let engine = Self {
            // From 10 microseconds to two seconds and a half.
            pause: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.000_01, 4.0, 10))
            }),
            wait: Histogram::new(exponential_buckets(0.000_25, 4.0, 9)),
            commit: Histogram::new(exponential_buckets(0.000_25, 2.0, 14)),
            group: Histogram::new(exponential_buckets(1.0, 4.0, 7)),
            queue: Gauge::default(),
            queue_limit: Gauge::default(),
            store: Gauge::default(),
            written: Counter::default(),
            syncs: Counter::default(),
            oldest: Gauge::default(),
            backup: Gauge::default(),
        };
        registry.register_with_unit(
            "engine_pause",
            "Time that events waited for a task that was done between them, such as swap.copy",
            Unit::Seconds,
            engine.pause.clone(),
        );
        let mut seconds = |name: &str, help: &str, histogram: &Histogram| {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        };
        seconds(
            "queue_wait",
            "Time that the first event of a group waited for the engine, from where it came in",
            &engine.wait,
        );
        seconds("commit_duration", "Time of a durable commit", &engine.commit);
        registry.register("commit_records", "Records in one commit", engine.group.clone());
        registry.register("queue_events", "Events that wait for the engine", engine.queue.clone());
        registry.register(
            "queue_limit_events",
            "Events that may wait for the engine; then their sources wait",
            engine.queue_limit.clone(),
        );
        registry.register_with_unit(
            "store_size",
            "Size of the store's file",
            Unit::Bytes,
            engine.store.clone(),
        );
        registry.register_with_unit(
            "store_written",
            "Bytes written to the store's file since the start",
            Unit::Bytes,
            engine.written.clone(),
        );
        registry.register(
            "store_fsyncs",
            "Times that the system was asked to put the store's file on the disk",
            engine.syncs.clone(),
        );
        registry.register_with_unit(
            "log_oldest_timestamp",
            "Time of the oldest record of the log, since 1970; 0 while it is empty",
            Unit::Seconds,
            engine.oldest.clone(),
        );
        registry.register_with_unit(
            "last_backup_timestamp",
            "When the last good backup was made, since 1970; 0 while there is none",
            Unit::Seconds,
            engine.backup.clone(),
        );
        engine
    }

    pub(super) fn paused(&self, task: &'static str, took: Duration) {
        self.pause.get_or_create(&TaskLabel { task }).observe(took.as_secs_f64());
    }

    pub(super) fn committed(&self, took: Duration, records: usize, disk: DiskUse) {
        self.commit.observe(took.as_secs_f64());
        self.group.observe(records as f64);
        // The engine's thread is the only one that counts here.
        self.written.inc_by(disk.bytes.saturating_sub(self.written.get()));
        self.syncs.inc_by(disk.syncs.saturating_sub(self.syncs.get()));
    }

    /// Whether the time of the log's oldest record is still unknown.
    pub(super) fn log_is_unknown(&self) -> bool {
        self.oldest.get() == 0.0
    }

    pub(super) fn log_begins(&self, at: Option<u64>) {
        self.oldest.set(at.unwrap_or_default() as f64 / 1000.0);
    }
}
