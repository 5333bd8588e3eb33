//! How many messages wait for a broker, and how many bytes they have.

use crate::contract::Message;

/// Messages that no broker has acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) number: u64,
    pub(crate) bytes: u64,
}

impl Waiting {
    pub(crate) fn add(&mut self, message: &Message) {
        self.number += 1;
        self.bytes += message_bytes(message);
    }

    /// One of them, with so many bytes, waits no more.
    pub(crate) fn remove(&mut self, bytes: u64) {
        self.number = self.number.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// How many bytes a message has.
pub(crate) fn message_bytes(message: &Message) -> u64 {
    (message.topic.len() + message.payload.len()) as u64
}
