//! What the polling and the sending side of one connection share.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use rumqttc::ManualAck;
use tokio::sync::Notify;

use super::deliveries::Deliveries;
use crate::queue::AckToken;

/// How long the last words to the broker may take.
pub(super) const GOODBYE: Duration = Duration::from_secs(2);

/// What the two sides of one connection share.
pub(super) struct Shared<'a> {
    /// The broker has let us in.
    pub(super) connected: Notify,
    /// Known packet ids, over all connections.
    pub(super) deliveries: &'a Deliveries,
    /// Received messages of this connection that wait for their commit. Those of an old connection are gone with it.
    pub(super) unacknowledged: Mutex<HashMap<AckToken, ManualAck>>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(deliveries: &'a Deliveries) -> Self {
        Self { connected: Notify::new(), deliveries, unacknowledged: Mutex::default() }
    }

    pub(super) fn keep(&self, ack_token: AckToken, ack: ManualAck) {
        // No await happens under this lock.
        self.unacknowledged.lock().insert(ack_token, ack);
    }

    /// Takes out the acknowledgement of a committed message. The caller must send it at once.
    pub(super) fn release(&self, ack_token: AckToken) -> Option<ManualAck> {
        let ack = self.unacknowledged.lock().remove(&ack_token)?;
        if let ManualAck::PubAck(ack) = &ack {
            self.deliveries.acknowledge(ack.pkid);
        }
        Some(ack)
    }
}
