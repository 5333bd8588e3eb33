//! What is counted for /metrics, and the state that /readyz asks for.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heat_engine::{Decision, Standing};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Which rule a figure is about.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Slot {
    slot: String,
}

/// What was done to which slot.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Swap {
    slot: String,
    action: String,
    outcome: String,
}

/// How a slot of a channel stands.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Stands {
    channel: String,
    slot: String,
    state: &'static str,
}

/// What the status tells of the figures.
pub(crate) struct Summary {
    pub(crate) chat_wanted: i64,
    pub(crate) chat_up: i64,
    pub(crate) mqtt_up: bool,
    pub(crate) faves: u64,
    pub(crate) chat_lines: u64,
    pub(crate) duplicates: u64,
    pub(crate) queue: i64,
}

/// The figures of one daemon. Cheap to clone; all clones are the same figures.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Figures>);

struct Figures {
    registry: Registry,
    chat_lines: Counter,
    bad_lines: Counter,
    mqtt_messages: Counter,
    duplicates: Counter,
    not_allowed: Counter,
    faves: Counter,
    calls: Family<Slot, Counter>,
    failures: Family<Slot, Counter>,
    silences: Family<Slot, Counter>,
    swaps: Family<Swap, Counter>,
    states: Family<Stands, Gauge>,
    /// Those that are told of.
    stands: Mutex<HashSet<Stands>>,
    pause_seconds: Histogram,
    commit_seconds: Histogram,
    queue: Gauge,
    chat: Gauge,
    channels: Gauge,
    mqtt: Gauge,
    backup: Gauge,
    wanted_connections: i64,
    stopping: AtomicBool,
    waits_for_clock: AtomicBool,
}

impl Metrics {
    /// Figures of a daemon that wants so many connections to chat.
    pub(crate) fn new(wanted_connections: usize) -> Self {
        let mut registry = Registry::with_prefix("heatd");
        let mut counter = |name: &str, help: &str| {
            let counter: Counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let chat_lines = counter("chat_lines", "Chat lines taken in");
        let bad_lines = counter("chat_bad_lines", "Lines from chat that are no IRC messages");
        let mqtt_messages = counter("mqtt_messages", "MQTT messages taken in for rules");
        let duplicates =
            counter("duplicate_events", "Events that were told twice and counted once");
        let not_allowed =
            counter("commands_not_allowed", "Commands of moderators that somebody else gave");
        let faves = counter("faves", "Faves counted");
        let (calls, failures) =
            (Family::<Slot, Counter>::default(), Family::<Slot, Counter>::default());
        registry.register("rule_calls", "Calls of rules", calls.clone());
        registry.register(
            "rule_failures",
            "Calls of rules that failed, whose effects were dropped",
            failures.clone(),
        );
        let silences = Family::<Slot, Counter>::default();
        registry.register(
            "rule_silent_calls",
            "Calls that a rule answered with nothing, such as a fave in its cooldown, or an order that is for moderators",
            silences.clone(),
        );
        let swaps = Family::<Swap, Counter>::default();
        registry.register("rule_swaps", "Changes of slots, done and refused", swaps.clone());
        let states = Family::<Stands, Gauge>::default();
        registry.register(
            "rule_state",
            "1 for how a slot stands: live, probation, disabled or quarantined",
            states.clone(),
        );
        let pause_seconds = Histogram::new(exponential_buckets(0.000_01, 2.0, 16));
        registry.register_with_unit(
            "engine_pause",
            "Time that events waited while something was done between them, such as a swap",
            Unit::Seconds,
            pause_seconds.clone(),
        );
        let commit_seconds = Histogram::new(exponential_buckets(0.000_25, 2.0, 14));
        registry.register_with_unit(
            "commit",
            "Time of a durable commit",
            Unit::Seconds,
            commit_seconds.clone(),
        );
        let mut gauge = |name: &str, help: &str| {
            let gauge: Gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let queue = gauge("queue_events", "Events that wait for the engine");
        let chat = gauge("chat_connections", "Connections to chat that are up");
        let channels = gauge("channels_joined", "Channels that Twitch has confirmed");
        let mqtt = gauge("mqtt_connected", "1 while the broker is connected");
        let backup = gauge(
            "last_backup_timestamp_seconds",
            "When the last good backup was made, in seconds since 1970; 0 while there is none",
        );
        Self(Arc::new(Figures {
            chat_lines,
            bad_lines,
            mqtt_messages,
            duplicates,
            not_allowed,
            faves,
            calls,
            failures,
            silences,
            swaps,
            states,
            stands: Mutex::default(),
            pause_seconds,
            commit_seconds,
            queue,
            chat,
            channels,
            mqtt,
            backup,
            wanted_connections: i64::try_from(wanted_connections).unwrap_or(i64::MAX),
            stopping: AtomicBool::new(false),
            waits_for_clock: AtomicBool::new(false),
            registry,
        }))
    }

    pub(crate) fn chat_line(&self) {
        self.0.chat_lines.inc();
    }

    pub(crate) fn bad_lines(&self, lines: u64) {
        self.0.bad_lines.inc_by(lines);
    }

    pub(crate) fn mqtt_message(&self) {
        self.0.mqtt_messages.inc();
    }

    pub(crate) fn command_not_allowed(&self) {
        self.0.not_allowed.inc();
    }

    pub(crate) fn queue_depth(&self, depth: usize) {
        self.0.queue.set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    /// A connection to chat came up or went down.
    pub(crate) fn chat_connected(&self, up: bool) {
        self.0.chat.inc_by(if up { 1 } else { -1 });
    }

    /// Twitch has confirmed one more channel.
    pub(crate) fn channel_joined(&self) {
        self.0.channels.inc();
    }

    /// A connection with so many channels is gone.
    pub(crate) fn channels_left(&self, channels: usize) {
        self.0.channels.dec_by(i64::try_from(channels).unwrap_or(i64::MAX));
    }

    pub(crate) fn mqtt_connected(&self, up: bool) {
        self.0.mqtt.set(i64::from(up));
    }

    /// There is a good backup of this time, in milliseconds since 1970.
    pub(crate) fn backed_up(&self, at: u64) {
        self.0.backup.set(i64::try_from(at / 1_000).unwrap_or(i64::MAX));
    }

    /// The start waits for the clock to be set.
    pub(crate) fn waits_for_clock(&self, waits: bool) {
        self.0.waits_for_clock.store(waits, Ordering::Relaxed);
    }

    pub(crate) fn stopping(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// What came of one event.
    pub(crate) fn decided(&self, decision: &Decision) {
        self.0.duplicates.inc_by(u64::from(decision.duplicate));
        self.0.faves.inc_by(decision.faves.len() as u64);
        for answer in &decision.answers {
            let slot = Slot { slot: answer.slot.to_string() };
            self.0.calls.get_or_create(&slot).inc();
            if answer.outcome.is_err() {
                self.0.failures.get_or_create(&slot).inc();
            } else if matches!(&answer.outcome, Ok(effects) if effects.is_empty()) {
                self.0.silences.get_or_create(&slot).inc();
            }
        }
    }

    /// Something was done to a slot, or refused.
    pub(crate) fn swapped(&self, slot: &str, action: &str, outcome: &str) {
        let (slot, action, outcome) = (slot.to_owned(), action.to_owned(), outcome.to_owned());
        self.0.swaps.get_or_create(&Swap { slot, action, outcome }).inc();
    }

    /// How the slots stand now.
    pub(crate) fn stand(&self, standings: &[Standing]) {
        let stands = standings.iter().map(|Standing { channel, slot, state, .. }| Stands {
            channel: channel.clone(),
            slot: slot.clone(),
            state,
        });
        let now: HashSet<Stands> = stands.collect();
        // Nothing in here panics, so a poisoned lock cannot be.
        let mut known = self.0.stands.lock().unwrap_or_else(PoisonError::into_inner);
        // First what is new, so that whoever asks in between finds each slot.
        for stands in &now {
            self.0.states.get_or_create(stands).set(1);
        }
        for gone in known.difference(&now) {
            self.0.states.remove(gone);
        }
        *known = now;
    }

    /// Events waited so long while something was done between them.
    pub(crate) fn task_done(&self, took: Duration) {
        self.0.pause_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn committed(&self, took: Duration) {
        self.0.commit_seconds.observe(took.as_secs_f64());
    }

    /// What keeps the daemon from being ready, in words; none when it is.
    pub(crate) fn not_ready(&self) -> Vec<&'static str> {
        let figures = &self.0;
        let mut reasons = Vec::new();
        if figures.stopping.load(Ordering::Relaxed) {
            reasons.push("heatd is shutting down");
        }
        if figures.waits_for_clock.load(Ordering::Relaxed) {
            reasons.push("the clock is behind the store; heatd waits for it to be set");
        }
        if figures.chat.get() < figures.wanted_connections {
            reasons.push("chat is not connected");
        }
        if figures.mqtt.get() == 0 {
            reasons.push("the MQTT broker is not connected");
        }
        reasons
    }

    /// The figures that a person asks for first. Counts are since the start.
    pub(crate) fn summary(&self) -> Summary {
        let figures = &self.0;
        Summary {
            chat_wanted: figures.wanted_connections,
            chat_up: figures.chat.get(),
            mqtt_up: figures.mqtt.get() != 0,
            faves: figures.faves.get(),
            chat_lines: figures.chat_lines.get(),
            duplicates: figures.duplicates.get(),
            queue: figures.queue.get(),
        }
    }

    /// All figures in the OpenMetrics text format.
    pub(crate) fn page(&self) -> String {
        let mut page = String::new();
        if let Err(error) = prometheus_client::encoding::text::encode(&mut page, &self.0.registry) {
            // Writing into a string does not fail; if it ever does, the page says so.
            let _ = writeln!(page, "# {error}");
        }
        page
    }
}
