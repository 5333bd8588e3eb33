//! The embedded broker: what its clients take up, and what it refuses.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::gauges::whole;

/// What the embedded broker refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refused {
    Login,
    LastWill,
    ClientId,
    Clients,
    Strangers,
    Silence,
    Packet,
    Topic,
    Write,
    Read,
    Subscriptions,
    Retained,
    Waiting,
    Reader,
}

impl Refused {
    const ALL: [Self; 14] = [
        Self::Login,
        Self::LastWill,
        Self::ClientId,
        Self::Clients,
        Self::Strangers,
        Self::Silence,
        Self::Packet,
        Self::Topic,
        Self::Write,
        Self::Read,
        Self::Subscriptions,
        Self::Retained,
        Self::Waiting,
        Self::Reader,
    ];

    /// The value of the label in /metrics.
    fn label(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LastWill => "last_will",
            Self::ClientId => "client_id",
            Self::Clients => "clients",
            Self::Strangers => "strangers",
            Self::Silence => "silence",
            Self::Packet => "packet",
            Self::Topic => "topic",
            Self::Write => "write",
            Self::Read => "read",
            Self::Subscriptions => "subscriptions",
            Self::Retained => "retained",
            Self::Waiting => "waiting",
            Self::Reader => "reader",
        }
    }
}

/// How much the embedded broker holds.
pub(crate) struct BrokerFigures {
    pub(crate) clients: usize,
    pub(crate) sessions: usize,
    pub(crate) subscriptions: usize,
    pub(crate) waiting_bytes: usize,
    pub(crate) retained: usize,
    pub(crate) retained_bytes: usize,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByRefusal {
    reason: &'static str,
}

pub(super) struct BrokerMetrics {
    clients: Gauge,
    sessions: Gauge,
    subscriptions: Gauge,
    waiting_bytes: Gauge,
    retained: Gauge,
    retained_bytes: Gauge,
    refused: Family<ByRefusal, Counter>,
}

impl BrokerMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let broker = Self {
            clients: Gauge::default(),
            sessions: Gauge::default(),
            subscriptions: Gauge::default(),
            waiting_bytes: Gauge::default(),
            retained: Gauge::default(),
            retained_bytes: Gauge::default(),
            refused: Family::default(),
        };
        let mut gauge =
            |name: &str, help: &str, gauge: &Gauge| registry.register(name, help, gauge.clone());
        gauge(
            "broker_clients",
            "Clients of the embedded broker that are connected",
            &broker.clients,
        );
        gauge(
            "broker_sessions",
            "Sessions at the embedded broker, also of clients that are away",
            &broker.sessions,
        );
        gauge(
            "broker_subscriptions",
            "Subscriptions at the embedded broker",
            &broker.subscriptions,
        );
        gauge(
            "broker_waiting_bytes",
            "Memory of messages that wait for clients of the embedded broker",
            &broker.waiting_bytes,
        );
        gauge(
            "broker_retained_topics",
            "Topics with a retained message at the embedded broker",
            &broker.retained,
        );
        gauge(
            "broker_retained_bytes",
            "Memory of retained messages at the embedded broker",
            &broker.retained_bytes,
        );
        registry.register(
            "broker_refused",
            "What the embedded broker refused, or dropped for want of room",
            broker.refused.clone(),
        );
        // From 0 on: the first of a kind is a rise then, which an alert sees.
        for why in Refused::ALL {
            let _ = broker.refused.get_or_create(&ByRefusal { reason: why.label() });
        }
        broker
    }

    pub(super) fn holds(&self, figures: &BrokerFigures) {
        self.clients.set(whole(figures.clients));
        self.sessions.set(whole(figures.sessions));
        self.subscriptions.set(whole(figures.subscriptions));
        self.waiting_bytes.set(whole(figures.waiting_bytes));
        self.retained.set(whole(figures.retained));
        self.retained_bytes.set(whole(figures.retained_bytes));
    }

    pub(super) fn refused(&self, why: Refused) {
        self.refused.get_or_create(&ByRefusal { reason: why.label() }).inc();
    }
}
