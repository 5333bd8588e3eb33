//! The mailbox: what has to be sent after a commit. The engine's thread fills it, and the broker's connection empties it.

use heat_engine::wit::Message;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::input::AckToken;

/// How many bytes of at-most-once messages may wait for a connection: some ten thousand answers.
const PASSING: usize = 4 << 20;

/// What has to be sent. All of it is durable.
#[derive(Default)]
pub(crate) struct ToSend {
    pub(crate) messages: Vec<(u64, Message)>,
    /// To be sent at most once.
    pub(crate) passing: Vec<Message>,
    pub(crate) ack_tokens: Vec<AckToken>,
}

impl ToSend {
    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.passing.is_empty() && self.ack_tokens.is_empty()
    }
}

/// What the engine's thread has left to be sent.
#[derive(Default)]
pub(crate) struct Mailbox {
    mail: Mutex<ToSend>,
    filled: Notify,
}

impl Mailbox {
    pub(crate) fn put(&self, new: ToSend) {
        if new.is_empty() {
            return;
        }
        let mut mail = self.mail.lock();
        mail.messages.extend(new.messages);
        // While no broker is connected nobody takes them. Then the oldest are dropped: an old answer is missed least.
        mail.passing.extend(new.passing);
        let excess = oldest_beyond(PASSING, &mail.passing);
        mail.passing.drain(..excess);
        mail.ack_tokens.extend(new.ack_tokens);
        drop(mail);
        self.filled.notify_one();
    }

    /// Takes what is there; waits while there is nothing.
    pub(crate) async fn take(&self) -> ToSend {
        loop {
            if let Some(mail) = self.take_now() {
                return mail;
            }
            self.filled.notified().await;
        }
    }

    /// Drops all at-most-once messages: there was no connection when they were made.
    pub(crate) fn forget_passing(&self) {
        self.mail.lock().passing.clear();
    }

    /// Takes what is there.
    pub(crate) fn take_now(&self) -> Option<ToSend> {
        let mail = std::mem::take(&mut *self.mail.lock());
        (!mail.is_empty()).then_some(mail)
    }
}

/// How many messages to drop from the front so that the rest has at most `most` bytes.
fn oldest_beyond(most: usize, messages: &[Message]) -> usize {
    let sizes = messages
        .iter()
        .rev()
        .map(|message| size_of::<Message>() + message.topic.len() + message.payload.len());
    let mut bytes = 0;
    let kept = sizes.take_while(|size| {
        bytes += size;
        bytes <= most
    });
    messages.len() - kept.count()
}

#[cfg(test)]
mod tests {
    use heat_engine::wit::{Delivery, Message};

    use super::oldest_beyond;

    #[test]
    fn the_oldest_messages_go_when_there_is_no_room() {
        let size = |bytes: usize| Message {
            topic: "t".to_owned(),
            payload: vec![0; bytes],
            delivery: Delivery::AtMostOnce,
        };
        let messages: Vec<Message> = [500, 10, 500].map(size).into();
        assert_eq!(oldest_beyond(10_000, &messages), 0);
        assert_eq!(oldest_beyond(800, &messages), 1);
        assert_eq!(oldest_beyond(600, &messages), 2);
        assert_eq!(oldest_beyond(100, &messages), 3);
        assert_eq!(oldest_beyond(0, &[]), 0);
    }
}
