//! What clients publish at the embedded broker goes to the engine from within, and the broker acknowledges it after the commit.
//!
//! heatd's own connection hears of the topics too, for what is retained on them when a rule begins to take one, and for nothing else.

use heat_engine::wit::MqttMessage;
use tokio::sync::{mpsc, oneshot};
use tracing::debug;

use crate::broker::Routes;
use crate::clock::now;
use crate::metrics::Metrics;
use crate::queue::{Input, StreamAnswer};
use crate::shutdown::Shutdown;

/// The way to the engine.
pub(crate) struct Inlet {
    pub(crate) routes: Routes,
    pub(crate) inputs: mpsc::WeakSender<Input>,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: Shutdown,
}

/// The engine takes no more: this heatd ends.
pub(super) struct Ending;

/// A message on its way to the engine.
pub(super) enum Passed {
    /// No rule takes it, or nobody waits for its commit.
    Done,
    /// It is with the engine.
    Waiting(oneshot::Receiver<Option<heat_engine::Stream>>),
}

impl Inlet {
    /// Passes a message on, waiting for room in the queue. With `surely` the commit can be waited for.
    pub(super) async fn pass(&self, message: MqttMessage, surely: bool) -> Result<Passed, Ending> {
        if self.shutdown.has_begun() {
            return Err(Ending);
        }
        let now = now();
        let mut events = self.routes.events(&message, now);
        let Some(last) = events.pop() else { return Ok(Passed::Done) };
        let (topic, bytes) = (&*message.topic, message.payload.len());
        debug!(topic, bytes, channels = events.len() + 1, "message received");
        self.metrics.mqtt_message();
        for event in events {
            self.send(Input::event(now, event)).await?;
        }
        if !surely {
            self.send(Input::event(now, last)).await?;
            return Ok(Passed::Done);
        }
        // All events of the message are in one commit, or in earlier ones.
        let (answer, committed): (StreamAnswer, _) = oneshot::channel();
        self.send(Input::with_answer(now, last, answer)).await?;
        Ok(Passed::Waiting(committed))
    }

    async fn send(&self, input: Input) -> Result<(), Ending> {
        let inputs = self.inputs.upgrade().ok_or(Ending)?;
        inputs.send(input).await.map_err(|_| Ending)
    }
}
