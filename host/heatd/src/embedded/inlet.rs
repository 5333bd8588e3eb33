//! What clients publish at the embedded broker goes to the engine from within: the broker acknowledges it after the commit.
//!
//! rmqtt asks before it delivers and acknowledges, and waits for the answer. heatd's own connection hears of the topics too, for what is
//! retained on them when a rule begins to take one, and for nothing else.

use async_trait::async_trait;
use heat_engine::wit::MqttMessage;
use rmqtt::hook::{Handler, HookResult, Parameter, ReturnType};
use rmqtt::types::{Publish, QoS};
use tokio::sync::{mpsc, oneshot};
use tracing::debug;

use super::access::Access;
use crate::broker::Routes;
use crate::clock::now;
use crate::metrics::Metrics;
use crate::queue::Input;
use crate::shutdown::Shutdown;

/// The way to the engine.
pub(crate) struct Inlet {
    pub(crate) routes: Routes,
    pub(crate) inputs: mpsc::WeakSender<Input>,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: Shutdown,
}

/// The engine takes no more: this heatd ends.
struct Ending;

impl Inlet {
    /// Passes a message on, waiting for room in the queue. With `surely` it returns after the commit.
    async fn take(&self, message: MqttMessage, surely: bool) -> Result<(), Ending> {
        if self.shutdown.has_begun() {
            return Err(Ending);
        }
        let now = now();
        let mut events = self.routes.events(&message, now);
        let Some(last) = events.pop() else { return Ok(()) };
        let (topic, bytes) = (&*message.topic, message.payload.len());
        debug!(topic, bytes, channels = events.len() + 1, "message received");
        self.metrics.mqtt_message();
        for event in events {
            self.send(Input::event(now, event)).await?;
        }
        if !surely {
            return self.send(Input::event(now, last)).await;
        }
        // All events of the message are in one commit, or in earlier ones.
        let (answer, committed) = oneshot::channel();
        self.send(Input::with_answer(now, last, answer)).await?;
        committed.await.map(drop).map_err(|_| Ending)
    }

    async fn send(&self, input: Input) -> Result<(), Ending> {
        let inputs = self.inputs.upgrade().ok_or(Ending)?;
        inputs.send(input).await.map_err(|_| Ending)
    }
}

/// Is told of each message before the broker delivers it.
pub(super) struct Taken {
    pub(super) access: Access,
    pub(super) inlet: Inlet,
    /// heatd's own client id: what it publishes itself is not for it.
    pub(super) own: String,
}

impl Taken {
    async fn take(&self, publish: &Publish) {
        let message = MqttMessage {
            topic: publish.topic.to_string(),
            payload: publish.payload.to_vec(),
            // As a subscriber of old sees it.
            retained: false,
        };
        if self.inlet.take(message, publish.qos != QoS::AtMostOnce).await.is_err() {
            debug!("a message came too late for the engine; it is not acknowledged");
            // Without an answer the broker neither delivers nor acknowledges it, and its sender repeats it to the next heatd.
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Handler for Taken {
    async fn hook(&self, question: &Parameter, answer: Option<HookResult>) -> ReturnType {
        if let Parameter::MessagePublish(session, from, publish) = question {
            let user = session.and_then(|it| it.username()).map(ToString::to_string);
            // The broker asks for leave after this.
            let may = self.access.may_write(&user.unwrap_or_default(), &publish.topic);
            if may && from.id.client_id != *self.own {
                self.take(publish).await;
            }
        }
        (true, answer)
    }
}
