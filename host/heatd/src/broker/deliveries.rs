//! Recognises repeated messages: which may be dropped as duplicates, and which must count.
//!
//! The broker repeats, with the same packet id and marked, what it has no acknowledgement of. To take a new message for a repetition
//! would lose it, which is worse than counting one twice. So a message counts as a repetition only while it cannot be anything else:
//! - **The session is the same.** A new session begins again with its packet ids.
//! - **Its acknowledgement has not left us.** Until then the broker cannot give the packet id to another message. Once it has left, a
//!   marked message with this packet id may be the one before, whose acknowledgement was lost with the connection, or a new one that was
//!   sent into a connection that broke; and when both say the same, nobody can tell. A message whose payload names an id is the
//!   exception: its sender has promised that two with one id are one.
//!
//! The engine already has a recognised repetition, in its queue or in the store. heatd acknowledges it, and makes no
//! event of it. This memory ends with heatd. After a crash the engine still knows the ids that payloads name; messages without an id may
//! count twice if they were committed and not acknowledged, at most as many as may be in flight: [`super::RECEIVE_MAXIMUM`].

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use heat_engine::wit::MqttMessage;
use parking_lot::Mutex;

/// How a message was delivered.
#[derive(Clone, Copy)]
pub(super) struct Delivery {
    /// 0 for QoS 0.
    pub(super) packet: u16,
    /// The broker says that it may have sent this before.
    pub(super) repeated: bool,
    /// The payload names an id.
    pub(super) named: bool,
}

/// The messages of the broker's session by packet id. It outlives connections, and both sides of a connection use it.
#[derive(Default)]
pub(super) struct Deliveries {
    // No await happens under this lock.
    by_packet: Mutex<HashMap<u16, Last>>,
}

/// The last message with a packet id.
struct Last {
    content: u64,
    acknowledged: bool,
}

impl Deliveries {
    /// The broker has begun a new session: forget all packet ids.
    pub(super) fn begin(&self) {
        self.lock().clear();
    }

    /// Notes a message on its way to the engine. Returns whether it was noted before.
    pub(super) fn is_repetition(&self, message: &MqttMessage, delivery: Delivery) -> bool {
        if delivery.packet == 0 {
            return false;
        }
        let content = content(message);
        let mut by_packet = self.lock();
        let known = by_packet.get(&delivery.packet).is_some_and(|last| {
            delivery.repeated && last.content == content && (delivery.named || !last.acknowledged)
        });
        if !known {
            by_packet.insert(delivery.packet, Last { content, acknowledged: false });
        }
        known
    }

    /// An acknowledgement is about to be sent. From now on the broker may use the packet id again.
    pub(super) fn acknowledge(&self, packet: u16) {
        if let Some(last) = self.lock().get_mut(&packet) {
            last.acknowledged = true;
        }
    }

    fn lock(&self) -> parking_lot::MutexGuard<'_, HashMap<u16, Last>> {
        self.by_packet.lock()
    }
}

/// A hash of topic and payload, to tell a repetition from another message with the same packet id.
fn content(message: &MqttMessage) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&message.topic, &message.payload).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Delivery = Delivery { packet: 5, repeated: false, named: false };
    const AGAIN: Delivery = Delivery { packet: 5, repeated: true, named: false };

    fn message(payload: &str) -> MqttMessage {
        let topic = "deck/a".to_owned();
        MqttMessage { topic, payload: payload.into(), retained: false }
    }

    #[test]
    fn what_was_not_acknowledged_is_known_again_whatever_connection_it_comes_by() {
        let deliveries = Deliveries::default();
        assert!(!deliveries.is_repetition(&message("x"), FIRST));
        assert!(deliveries.is_repetition(&message("x"), AGAIN));
        assert!(deliveries.is_repetition(&message("x"), AGAIN));
    }

    #[test]
    fn after_the_acknowledgement_the_packet_id_may_be_of_another_message_which_counts() {
        let deliveries = Deliveries::default();
        assert!(!deliveries.is_repetition(&message("x"), FIRST));
        deliveries.acknowledge(5);
        // Another "x" was sent as packet 5 into a connection that broke, and comes again, marked.
        assert!(!deliveries.is_repetition(&message("x"), AGAIN));
        // And this one is known until it is acknowledged in its turn.
        assert!(deliveries.is_repetition(&message("x"), AGAIN));
    }

    #[test]
    fn in_another_session_packet_ids_mean_nothing_new() {
        let deliveries = Deliveries::default();
        assert!(!deliveries.is_repetition(&message("x"), FIRST));
        deliveries.begin();
        assert!(!deliveries.is_repetition(&message("x"), AGAIN));
    }

    #[test]
    fn other_content_an_unmarked_message_and_qos_0_are_never_repetitions() {
        let deliveries = Deliveries::default();
        assert!(!deliveries.is_repetition(&message("x"), FIRST));
        assert!(!deliveries.is_repetition(&message("y"), AGAIN));
        assert!(!deliveries.is_repetition(&message("y"), FIRST));
        let unsure = Delivery { packet: 0, ..AGAIN };
        assert!(!deliveries.is_repetition(&message("z"), unsure));
        assert!(!deliveries.is_repetition(&message("z"), unsure));
    }

    #[test]
    fn a_message_that_names_an_id_is_known_also_after_its_acknowledgement() {
        let deliveries = Deliveries::default();
        assert!(!deliveries.is_repetition(&message("x"), Delivery { named: true, ..FIRST }));
        deliveries.acknowledge(5);
        assert!(deliveries.is_repetition(&message("x"), Delivery { named: true, ..AGAIN }));
        deliveries.begin();
        assert!(!deliveries.is_repetition(&message("x"), Delivery { named: true, ..AGAIN }));
    }
}
