//! The metrics behind `/metrics`: one file for each subject, and the page. docs/watching.md says what each metric means.
//!
//! Counting costs the engine's thread an atomic addition or a lock that nobody else holds; labels are looked up once, at the start.

mod broker;
mod engine;
mod events;
mod format;
mod gauges;
mod health;
mod links;
mod process;
mod rules;
mod unrecognized;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heat_engine::{Decision, DiskUse, SlotStatus};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use broker::BrokerMetrics;
pub(crate) use broker::{BrokerFigures, Refused};
use engine::Engine;
use events::Events;
pub(crate) use events::{EventSource, RejectReason};
pub(crate) use format::Format;
use gauges::whole;
pub(crate) use health::Health;
use links::Links;
pub(crate) use links::Published;
use process::Process;
use rules::Rules;
pub(crate) use rules::SlotFigures;
pub(crate) use unrecognized::{Interface, Sighting, Unrecognized};

/// The figures that the status shows.
pub(crate) struct StatusFigures {
    pub(crate) chat_desired: i64,
    pub(crate) chat_up: i64,
    pub(crate) mqtt_up: bool,
    pub(crate) chat_lines: u64,
    pub(crate) duplicates: u64,
}

/// The figures of one daemon, and its health. Cheap to clone; all clones are the same figures.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Figures>);

struct Figures {
    registry: Registry,
    health: Health,
    events: Events,
    rules: Rules,
    engine: Engine,
    links: Links,
    broker: BrokerMetrics,
    process: Process,
    unrecognized: Unrecognized,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

impl Metrics {
    /// New figures; `connections` to chat and `channels` are desired at the start.
    pub(crate) fn new(connections: usize, channels: usize) -> Self {
        let mut root = Registry::default();
        let registry = root.sub_registry_with_prefix("heatd");
        let build = Info::new(Build { version: env!("CARGO_PKG_VERSION") });
        registry.register("build", "The version that runs", build);
        let (events, rules) = (Events::new(registry), Rules::new(registry));
        let (engine, links) = (Engine::new(registry), Links::new(registry));
        let broker = BrokerMetrics::new(registry);
        let process = Process::new(&mut root);
        links.chat_desired.set(whole(connections));
        links.channels_desired.set(whole(channels));
        let health = Health::new(connections, Instant::now());
        let unrecognized = Unrecognized::default();
        unrecognized.register(root.sub_registry_with_prefix("heatd"));
        Self(Arc::new(Figures {
            registry: root,
            health,
            events,
            rules,
            engine,
            links,
            broker,
            process,
            unrecognized,
        }))
    }

    /// What other services say that heatd does not know.
    pub(crate) fn unrecognized(&self) -> &Unrecognized {
        &self.0.unrecognized
    }

    pub(crate) fn health(&self) -> &Health {
        &self.0.health
    }

    /// A line of chat came, in milliseconds since 1970.
    pub(crate) fn chat_line(&self, now: u64) {
        self.0.events.chat_lines.inc();
        self.0.links.line(now);
    }

    pub(crate) fn bad_lines(&self, lines: u64) {
        self.0.events.refused(RejectReason::BadLine, lines);
    }

    pub(crate) fn refused(&self, why: RejectReason) {
        self.0.events.refused(why, 1);
    }

    /// A channel is heard again after a gap of this length.
    pub(crate) fn chat_gap(&self, long: Duration) {
        self.0.links.gap(long);
    }

    /// Whether the login of a Twitch account is good, and covers what it is for.
    pub(crate) fn account_up(&self, login: &str, up: bool) {
        self.0.links.account_up(login, up);
    }

    /// Whether EventSub is heard for a Twitch account.
    pub(crate) fn eventsub_connected(&self, login: &str, up: bool) {
        self.0.links.eventsub_connected(login, up);
    }

    /// EventSub has told something.
    pub(crate) fn eventsub_notification(&self) {
        self.0.links.notifications.inc();
    }

    /// What became of a line that was to be said in chat.
    pub(crate) fn said(&self, outcome: &'static str) {
        self.0.links.said(outcome);
    }

    pub(crate) fn mqtt_message(&self) {
        self.0.links.received.inc();
    }

    /// A message that the broker has repeated.
    pub(crate) fn duplicate(&self) {
        self.0.events.duplicates.inc();
    }

    /// How much the embedded broker holds.
    pub(crate) fn broker_holds(&self, figures: &BrokerFigures) {
        self.0.broker.holds(figures);
    }

    /// The embedded broker has refused something.
    pub(crate) fn broker_refused(&self, why: Refused) {
        self.0.broker.refused(why);
    }

    pub(crate) fn published(&self, what: Published, messages: usize) {
        self.0.links.published(what, messages);
    }

    /// A connection to chat came up or went down.
    pub(crate) fn chat_connected(&self, up: bool) {
        self.0.health.chat_connected(up, Instant::now());
        self.0.links.chat.inc_by(if up { 1 } else { -1 });
        self.0.links.chat_opened.inc_by(u64::from(up));
    }

    /// Twitch has confirmed one more channel.
    pub(crate) fn channel_joined(&self, channel: &str) {
        self.0.health.channel_joined(channel);
        self.0.links.channels.inc();
    }

    /// A channel that Twitch had confirmed is heard no more.
    pub(crate) fn channel_left(&self, channel: &str) {
        self.0.health.channel_left(channel);
        self.0.links.channels.dec();
    }

    /// Sets how many connections to chat are desired.
    pub(crate) fn connections_desired(&self, connections: usize) {
        self.0.health.connections_desired(connections, Instant::now());
        self.0.links.chat_desired.set(whole(connections));
    }

    /// Sets how many channels are desired.
    pub(crate) fn channels_desired(&self, channels: usize) {
        self.0.links.channels_desired.set(whole(channels));
    }

    /// Removes the figures of a channel and its slots.
    pub(crate) fn forget_channel(&self, channel: &Arc<str>, slots: &[&str]) {
        self.0.rules.forget(channel, slots);
    }

    /// Takes the figures of a slot that is gone off the page.
    pub(crate) fn forget_slot(&self, channel: &Arc<str>, slot: &str) {
        self.0.rules.forget_slots(channel, &[slot]);
    }

    pub(crate) fn mqtt_connected(&self, up: bool) {
        self.0.health.mqtt_connected(up, Instant::now());
        self.0.links.mqtt.set(i64::from(up));
        self.0.links.mqtt_opened.inc_by(u64::from(up));
    }

    /// The engine begins a group of events; its first event has waited for `waited`.
    pub(crate) fn group_begins(&self, waited: Duration) {
        self.0.health.group_begins(waited);
        self.0.engine.wait.observe(waited.as_secs_f64());
    }

    /// There is a good backup of this time, in milliseconds since 1970.
    pub(crate) fn backed_up(&self, at: u64) {
        self.0.engine.backup.set(at as f64 / 1000.0);
    }

    /// An event was taken from the queue.
    pub(crate) fn event_came(&self, source: EventSource) {
        self.0.events.came(source);
    }

    /// Counts the decision on one event. Calls are counted by the registry of channels, which knows their slots.
    pub(crate) fn decided(&self, decision: &Decision) {
        self.0.events.decided(decision);
    }

    /// The counter of a channel's faves.
    pub(crate) fn faves_of(&self, channel: &Arc<str>) -> Counter {
        self.0.rules.faves_of(channel)
    }

    /// The figures of a slot.
    pub(crate) fn slot(&self, channel: &Arc<str>, slot: &str) -> SlotFigures {
        self.0.rules.slot(channel, slot)
    }

    /// Counts a change of a slot, done or refused.
    pub(crate) fn swapped(&self, slot: &str, action: &str, outcome: &str) {
        self.0.rules.swapped(slot, action, outcome);
    }

    /// Sets the status of all slots.
    pub(crate) fn stand(&self, standings: &[SlotStatus]) {
        self.0.rules.stand(standings);
    }

    /// The engine's thread begins with a task; events wait for its end.
    pub(crate) fn task_begins(&self, name: &'static str, now: Instant) {
        self.0.health.task_begins(name, now);
    }

    /// A task on the engine's thread is done: events waited so long for it.
    pub(crate) fn task_done(&self, name: &'static str, took: Duration) {
        self.0.health.task_ends();
        self.0.engine.paused(name, took);
    }

    /// Counts a commit: its records, what was written to the store since the start, and how many messages are in the outbox.
    pub(crate) fn committed(&self, took: Duration, records: usize, disk: DiskUse, outbox: u64) {
        self.0.engine.committed(took, records, disk);
        self.0.links.outbox.set(outbox as i64);
    }

    /// Whether the time of the oldest record of the log is still unknown.
    pub(crate) fn log_is_unknown(&self) -> bool {
        self.0.engine.log_is_unknown()
    }

    /// Sets the time of the oldest record of the log, in milliseconds since 1970.
    pub(crate) fn log_begins(&self, at: Option<u64>) {
        self.0.engine.log_begins(at);
    }

    /// The figures that a person asks for first. Counts are since the start.
    pub(crate) fn summary(&self) -> StatusFigures {
        let (events, links) = (&self.0.events, &self.0.links);
        StatusFigures {
            chat_desired: links.chat_desired.get(),
            chat_up: links.chat.get(),
            mqtt_up: links.mqtt.get() != 0,
            chat_lines: events.chat_lines.get(),
            duplicates: events.duplicates.get(),
        }
    }

    /// The page in this format. `queue`: how many events wait, and how many may. `store`: the size of its file.
    pub(crate) fn page(&self, format: Format, queue: (usize, usize), store: u64) -> String {
        self.0.engine.queue.set(whole(queue.0));
        self.0.engine.queue_limit.set(whole(queue.1));
        self.0.engine.store.set(store as i64);
        self.0.process.look();
        let mut page = String::new();
        if let Err(error) = prometheus_client::encoding::text::encode(&mut page, &self.0.registry) {
            // Writing into a string does not fail; if it ever does, the page says so.
            let _ = writeln!(page, "# {error}");
        }
        format.write(page)
    }
}
