//! The connections: to chat and its channels, and to the MQTT broker.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// What is published.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Published {
    /// What is shown, retained.
    Outputs,
    /// Messages of rules, at least once.
    Messages,
    /// Messages of rules, at most once.
    Passing,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PublishedKind {
    kind: &'static str,
}

pub(super) struct Links {
    pub(super) chat: Gauge,
    pub(super) chat_desired: Gauge,
    pub(super) chat_opened: Counter,
    pub(super) channels: Gauge,
    pub(super) channels_desired: Gauge,
    last_line: Gauge<f64, AtomicU64>,
    gaps: Counter,
    gap_seconds: Counter<f64, AtomicU64>,
    pub(super) mqtt: Gauge,
    pub(super) mqtt_opened: Counter,
    pub(super) received: Counter,
    published: [Counter; 3],
    pub(super) outbox: Gauge,
    accounts: Family<AccountName, Gauge>,
    eventsub: Family<AccountName, Gauge>,
    pub(super) notifications: Counter,
    said: Family<SayOutcome, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SayOutcome {
    outcome: &'static str,
}

/// A Twitch account, by its login.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AccountName {
    account: String,
}

impl Links {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let published = Family::<PublishedKind, Counter>::default();
        let kind = |kind| published.get_or_create_owned(&PublishedKind { kind });
        let links = Self {
            chat: Gauge::default(),
            chat_desired: Gauge::default(),
            chat_opened: Counter::default(),
            channels: Gauge::default(),
            channels_desired: Gauge::default(),
            last_line: Gauge::default(),
            gaps: Counter::default(),
            gap_seconds: Counter::default(),
            mqtt: Gauge::default(),
            mqtt_opened: Counter::default(),
            received: Counter::default(),
            published: [kind("output"), kind("message"), kind("at_most_once")],
            outbox: Gauge::default(),
            accounts: Family::default(),
            eventsub: Family::default(),
            notifications: Counter::default(),
            said: Family::default(),
        };
        let mut gauge =
            |name: &str, help: &str, gauge: &Gauge| registry.register(name, help, gauge.clone());
        gauge("chat_connections", "Connections to chat that are up", &links.chat);
        gauge(
            "chat_connections_desired",
            "Connections to chat that there shall be",
            &links.chat_desired,
        );
        gauge("channels_joined", "Channels that Twitch has confirmed", &links.channels);
        gauge("channels_desired", "Channels of the configuration", &links.channels_desired);
        gauge("mqtt_connected", "1 while the broker is connected", &links.mqtt);
        gauge(
            "mqtt_outbox_messages",
            "Messages of rules that no broker has acknowledged",
            &links.outbox,
        );
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        counter(
            "chat_connections_opened",
            "Connections to chat that were made, the first ones too",
            &links.chat_opened,
        );
        counter(
            "mqtt_connections_opened",
            "Connections to the broker that were made, the first one too",
            &links.mqtt_opened,
        );
        counter("mqtt_messages", "MQTT messages taken in for rules", &links.received);
        counter("chat_gaps", "Times that a channel was not heard and is heard again", &links.gaps);
        registry.register_with_unit(
            "chat_gap",
            "Time for which channels were not heard: what was said meanwhile is missing",
            Unit::Seconds,
            links.gap_seconds.clone(),
        );
        registry.register("mqtt_published", "MQTT messages sent", published);
        registry.register(
            "account_up",
            "1 while the login of this Twitch account is good and covers its features",
            links.accounts.clone(),
        );
        registry.register(
            "eventsub_connected",
            "1 while EventSub is heard for this Twitch account",
            links.eventsub.clone(),
        );
        registry.register(
            "eventsub_notifications",
            "What EventSub has told, repetitions too",
            links.notifications.clone(),
        );
        registry.register(
            "chat_says",
            "Lines that were to be said in chat, by what became of them",
            links.said.clone(),
        );
        // So that the figure is there, at 0, before somebody speaks.
        let _ = links.said.get_or_create(&SayOutcome { outcome: "said" });
        registry.register_with_unit(
            "chat_last_line_timestamp",
            "Time of the last line of chat, since 1970; 0 before the first",
            Unit::Seconds,
            links.last_line.clone(),
        );
        links
    }

    /// A line came, in milliseconds since 1970.
    pub(super) fn line(&self, now: u64) {
        self.last_line.set(now as f64 / 1000.0);
    }

    /// A channel is heard again after a gap of this length.
    pub(super) fn gap(&self, long: Duration) {
        self.gaps.inc();
        self.gap_seconds.inc_by(long.as_secs_f64());
    }

    pub(super) fn account_up(&self, login: &str, up: bool) {
        let name = AccountName { account: login.to_owned() };
        // Made here, so that its figure is 0 and not missing before it is heard for the first time.
        let _ = self.eventsub.get_or_create(&name);
        self.accounts.get_or_create(&name).set(i64::from(up));
    }

    pub(super) fn eventsub_connected(&self, login: &str, up: bool) {
        let account = login.to_owned();
        self.eventsub.get_or_create(&AccountName { account }).set(i64::from(up));
    }

    pub(super) fn said(&self, outcome: &'static str) {
        self.said.get_or_create(&SayOutcome { outcome }).inc();
    }

    pub(super) fn published(&self, what: Published, messages: usize) {
        let counter = match what {
            Published::Outputs => &self.published[0],
            Published::Messages => &self.published[1],
            Published::Passing => &self.published[2],
        };
        counter.inc_by(messages as u64);
    }
}
