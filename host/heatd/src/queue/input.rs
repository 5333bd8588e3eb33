//! Everything that can happen to the engine.

use std::sync::Arc;
use std::time::Duration;

use heat_engine::wit::Event;
use heat_engine::{Decision, StoreError, Stream};
use tokio::sync::oneshot;

use super::task::{EngineAccess, Task};
use crate::clock::now;

/// The number of a received MQTT message. heatd acknowledges the message after the commit.
pub(crate) type AckToken = u64;

/// Pairs of a channel and a topic filter: a message on a matching topic becomes an event of the channel.
pub(crate) type Topics = Vec<(Arc<str>, String)>;

/// Where a caller waits for the state of a channel's stream.
pub(crate) type StreamAnswer = oneshot::Sender<Option<Stream>>;

/// What to do with a decision once it is durable.
pub(crate) type Decided = Box<dyn FnOnce(Decision) + Send>;

/// Everything that can happen to the engine.
pub(crate) struct Input {
    /// When heatd took it in, in milliseconds since 1970.
    pub(crate) now: u64,
    pub(crate) what: InputKind,
}

pub(crate) enum InputKind {
    Event {
        event: Box<Event>,
        ack_token: Option<AckToken>,
    },
    /// An event whose sender waits until it is durable, and gets the state of the channel's stream.
    Asked {
        event: Box<Event>,
        answer: StreamAnswer,
    },
    /// An event whose sender waits until it is durable, and gets the decision.
    Ordered {
        event: Box<Event>,
        answer: Decided,
    },
    AckToken(Option<AckToken>),
    Tick,
    Sent(u64),
    /// A channel is heard again after a gap that began at `from`.
    Gap {
        channel: String,
        from: u64,
        why: String,
    },
    /// Work to be done between two events.
    Task(Task),
    /// The output of a shadow has changed.
    Shadowed,
}

impl Input {
    /// How long it has waited in the queue.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_millis(now().saturating_sub(self.now))
    }

    pub(crate) fn event(now: u64, event: Event) -> Self {
        Self { now, what: InputKind::Event { event: Box::new(event), ack_token: None } }
    }

    /// An event whose sender waits for an acknowledgement.
    pub(crate) fn with_ack(now: u64, event: Event, ack_token: Option<AckToken>) -> Self {
        Self { now, what: InputKind::Event { event: Box::new(event), ack_token } }
    }

    /// An event whose sender waits for what its channel's stream is then.
    pub(crate) fn with_answer(now: u64, event: Event, answer: StreamAnswer) -> Self {
        Self { now, what: InputKind::Asked { event: Box::new(event), answer } }
    }

    /// An event whose sender waits for what is decided on it.
    pub(crate) fn with_decision(
        now: u64,
        event: Event,
        answer: impl FnOnce(Decision) + Send + 'static,
    ) -> Self {
        let (event, answer) = (Box::new(event), Box::new(answer));
        Self { now, what: InputKind::Ordered { event, answer } }
    }

    /// A message that no rule takes. It is acknowledged in order with the others.
    pub(crate) fn ack_only(now: u64, ack_token: Option<AckToken>) -> Self {
        Self { now, what: InputKind::AckToken(ack_token) }
    }

    /// A timer may be due, or a group may have waited long enough.
    pub(crate) fn tick(now: u64) -> Self {
        Self { now, what: InputKind::Tick }
    }

    /// A channel is heard again after a gap that began at `from`.
    pub(crate) fn gap(now: u64, channel: &str, from: u64, why: String) -> Self {
        Self { now, what: InputKind::Gap { channel: channel.to_owned(), from, why } }
    }

    /// Work to be done between two events. Its name is an action and a step, such as `swap.copy`.
    pub(crate) fn task(
        name: &'static str,
        work: impl FnOnce(&mut EngineAccess<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Self {
        Self { now: now(), what: InputKind::Task(Task { name, work: Box::new(work) }) }
    }

    /// The output of a shadow has changed.
    pub(crate) fn shadowed() -> Self {
        Self { now: now(), what: InputKind::Shadowed }
    }

    /// The broker has acknowledged this message of the outbox.
    pub(crate) fn sent(number: u64) -> Self {
        Self { now: now(), what: InputKind::Sent(number) }
    }
}
