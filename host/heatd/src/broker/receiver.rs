//! The polling side of a connection: what the broker sends becomes events, refusals become log lines.

use std::time::{Duration, Instant};

use heat_engine::wit::MqttMessage;
use rumqttc::{
    ConnectionError, Event, EventLoop, Packet, PubAckReason, Publish, SubscribeReasonCode,
};
use rumqttc::{ManualAck, PubAck, QoS};
use tokio::sync::mpsc;
use tracing::{debug, error, info, warn};

use super::deliveries::Delivery;
use super::incoming::{Routes, named_id};
use super::shared::Shared;
use crate::backoff::LASTING;
use crate::clock::now;
use crate::metrics::{Metrics, RejectReason};
use crate::queue::{AckToken, Input};
use crate::shutdown::Shutdown;

/// Outlives connections, so that no acknowledgement token is used twice.
pub(super) struct Receiver {
    routes: Routes,
    inputs: mpsc::WeakSender<Input>,
    metrics: Metrics,
    shutdown: Shutdown,
    /// True for the embedded broker: other messages come from it directly, so this connection takes retained ones only.
    only_retained: bool,
    last_receipt: AckToken,
    connected_at: Option<Instant>,
}

impl Receiver {
    pub(super) fn new(
        routes: Routes,
        inputs: mpsc::WeakSender<Input>,
        metrics: Metrics,
        shutdown: Shutdown,
        only_retained: bool,
    ) -> Self {
        let (last_receipt, connected_at) = (0, None);
        Self { routes, inputs, metrics, shutdown, only_retained, last_receipt, connected_at }
    }

    /// For how long the last connection has lasted. None: the broker has not let heatd in.
    pub(super) fn connected_for(&self) -> Option<Duration> {
        self.connected_at.map(|at| at.elapsed())
    }

    /// Whether the last connection was of use: one that ends at once is no reason to come back at once.
    pub(super) fn lasted(&self) -> bool {
        self.connected_at.is_some_and(|at| at.elapsed() >= LASTING)
    }

    /// Polls until the connection is lost.
    pub(super) async fn run(
        &mut self,
        event_loop: &mut EventLoop,
        shared: &Shared<'_>,
    ) -> ConnectionError {
        self.connected_at = None;
        loop {
            match event_loop.poll().await {
                Ok(Event::Incoming(packet)) => self.take(packet, shared).await,
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }

    async fn take(&mut self, packet: Packet, shared: &Shared<'_>) {
        match packet {
            Packet::ConnAck(answer) => {
                if !answer.session_present {
                    shared.deliveries.begin();
                }
                self.connected_at = Some(Instant::now());
                self.metrics.mqtt_connected(true);
                info!("broker connected");
                shared.connected.notify_one();
            }
            Packet::Publish(publish) => self.take_message(&publish, shared).await,
            Packet::SubAck(answer) => {
                debug!(filters = answer.return_codes.len(), "subscribed");
                for code in answer.return_codes {
                    if !matches!(code, SubscribeReasonCode::Success(_)) {
                        error!(reason = ?code, "the broker refuses a subscription; check its access list");
                    }
                }
            }
            Packet::PubAck(PubAck { reason, .. })
                if !matches!(
                    reason,
                    PubAckReason::Success | PubAckReason::NoMatchingSubscribers
                ) =>
            {
                error!(?reason, "the broker refuses a message; check its access list");
            }
            _ => {}
        }
    }

    /// Passes a message on to the engine. It may wait for room in the queue: the engine never waits for this side.
    async fn take_message(&mut self, publish: &Publish, shared: &Shared<'_>) {
        if self.shutdown.has_begun() {
            // Not acknowledged, so that the broker keeps it for the next start.
            return;
        }
        if self.only_retained && !publish.retain {
            return;
        }
        let ack = (publish.qos == QoS::AtLeastOnce)
            .then(|| ManualAck::PubAck(PubAck::new(publish.pkid, None)));
        let Ok(topic) = std::str::from_utf8(&publish.topic) else {
            warn!("the broker sent a topic that is not UTF-8; the message is left out");
            self.metrics.refused(RejectReason::BadTopic);
            return;
        };
        let message = MqttMessage {
            topic: topic.to_owned(),
            payload: publish.payload.to_vec(),
            retained: publish.retain,
        };
        let now = now();
        let named = named_id(&message.payload).is_some();
        let delivery = Delivery { packet: publish.pkid, repeated: publish.dup, named };
        let mut events = match shared.deliveries.is_repetition(&message, delivery) {
            // It is acknowledged in order, after the commit of its first delivery.
            true => {
                self.metrics.duplicate();
                Vec::new()
            }
            false => self.routes.events(&message, now),
        };
        debug!(topic, bytes = message.payload.len(), channels = events.len(), "message received");
        self.metrics.mqtt_message();
        self.last_receipt += 1;
        let ack_token = self.last_receipt;
        if let Some(ack) = ack.clone() {
            shared.keep(ack_token, ack);
        }
        let last = events.pop();
        for event in events {
            self.send(Input::event(now, event)).await;
        }
        // The last event of the message carries the token: then all of its events are in the same commit, or in earlier ones.
        let ack_token = ack.is_some().then_some(ack_token);
        match last {
            Some(event) => self.send(Input::with_ack(now, event, ack_token)).await,
            None => self.send(Input::ack_only(now, ack_token)).await,
        }
    }

    async fn send(&self, input: Input) {
        let sent = match self.inputs.upgrade() {
            Some(inputs) => inputs.send(input).await.is_ok(),
            None => false,
        };
        if !sent {
            debug!("a message came too late for the engine; the broker keeps it");
        }
    }
}
