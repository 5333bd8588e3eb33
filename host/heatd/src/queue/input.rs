//! Everything that can happen to the engine.

use std::time::Duration;

use heat_engine::wit::Event;
use heat_engine::{Decision, Stream};
use tokio::sync::oneshot;

use super::desk::Task;
use crate::clock::now;

/// The number of a received MQTT message, which is acknowledged after the commit.
pub(crate) type Receipt = u64;

/// Where somebody waits for what a stream is.
pub(crate) type Answer = oneshot::Sender<Option<Stream>>;

/// What is done with a decision that is durable.
pub(crate) type Decided = Box<dyn FnOnce(Decision) + Send>;

/// Everything that can happen to the engine.
pub(crate) struct Input {
    /// When heatd took it in, in milliseconds since 1970.
    pub(crate) now: u64,
    pub(crate) what: What,
}

pub(crate) enum What {
    Event {
        event: Box<Event>,
        receipt: Option<Receipt>,
    },
    /// An event after whose commit somebody is told what its channel's stream is.
    Asked {
        event: Box<Event>,
        answer: Answer,
    },
    /// An event after whose commit somebody is told what was decided.
    Ordered {
        event: Box<Event>,
        answer: Decided,
    },
    Receipt(Option<Receipt>),
    Tick,
    Sent(u64),
    /// A channel is heard again, which it was not since then.
    Gap {
        channel: String,
        from: u64,
        why: String,
    },
    /// Something that somebody wants done between two events.
    Task(Task),
    /// A shadow shows something else.
    Shadowed,
}

impl Input {
    /// How long it has waited for the engine.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_millis(now().saturating_sub(self.now))
    }

    pub(crate) fn event(now: u64, event: Event) -> Self {
        Self { now, what: What::Event { event: Box::new(event), receipt: None } }
    }

    /// An event whose sender waits for an acknowledgement.
    pub(crate) fn with_receipt(now: u64, event: Event, receipt: Option<Receipt>) -> Self {
        Self { now, what: What::Event { event: Box::new(event), receipt } }
    }

    /// An event whose sender waits for what its channel's stream is then.
    pub(crate) fn with_answer(now: u64, event: Event, answer: Answer) -> Self {
        Self { now, what: What::Asked { event: Box::new(event), answer } }
    }

    /// An event whose sender waits for what is decided on it.
    pub(crate) fn with_decision(
        now: u64,
        event: Event,
        answer: impl FnOnce(Decision) + Send + 'static,
    ) -> Self {
        let (event, answer) = (Box::new(event), Box::new(answer));
        Self { now, what: What::Ordered { event, answer } }
    }

    /// A message that no rule takes: acknowledged in its turn.
    pub(crate) fn receipt_only(now: u64, receipt: Option<Receipt>) -> Self {
        Self { now, what: What::Receipt(receipt) }
    }

    /// A timer may be due, or a group may have waited long enough.
    pub(crate) fn tick(now: u64) -> Self {
        Self { now, what: What::Tick }
    }

    /// A channel is heard again, which it was not since then.
    pub(crate) fn gap(now: u64, channel: &str, from: u64, why: String) -> Self {
        Self { now, what: What::Gap { channel: channel.to_owned(), from, why } }
    }

    /// Something to do between two events.
    pub(crate) fn task(task: Task) -> Self {
        Self { now: now(), what: What::Task(task) }
    }

    /// A shadow shows something else.
    pub(crate) fn shadowed() -> Self {
        Self { now: now(), what: What::Shadowed }
    }

    /// The broker has acknowledged this message of the outbox.
    pub(crate) fn sent(number: u64) -> Self {
        Self { now: now(), what: What::Sent(number) }
    }
}
