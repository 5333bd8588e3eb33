//! Messages of a client that wait for the engine's commit. They are delivered and acknowledged in the order in which they came.

use std::collections::VecDeque;
use std::sync::Arc;

use rumqttc::{Packet, PubAck, PubAckReason, PubRec, PubRecReason};
use tokio::io::{AsyncRead, AsyncWrite};

use super::connection::{Connection, End};
use super::inlet::Passed;
use super::message::Message;

/// What the client is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Nothing,
    Acknowledged(u16),
    Received(u16),
}

/// One message.
pub(super) struct Pending {
    /// None: it is not passed on, because it was before or must not be.
    pub(super) message: Option<Arc<Message>>,
    pub(super) reply: Reply,
    /// Its sender may not write there.
    pub(super) is_refused: bool,
    pub(super) passed: Passed,
}

/// What has become of the first message that waits.
pub(super) struct Settled {
    is_committed: bool,
}

impl Settled {
    /// Waits for the first message; for ever if there is none.
    pub(super) async fn first(pending: &mut VecDeque<Pending>) -> Self {
        match pending.front_mut().map(|first| &mut first.passed) {
            None => std::future::pending().await,
            Some(Passed::Done) => Self { is_committed: true },
            Some(Passed::Waiting(committed)) => Self { is_committed: committed.await.is_ok() },
        }
    }
}

impl<S: AsyncRead + AsyncWrite> Connection<S> {
    /// The first message that waits is done with.
    pub(super) fn settle(&mut self, settled: Settled) -> Result<(), End> {
        if !settled.is_committed {
            return Err(End::Ending);
        }
        if let Some(first) = self.pending.pop_front() {
            self.pending_bytes -= first.size();
            self.finish(first);
        }
        Ok(())
    }

    /// Takes a message whose turn it may not be yet.
    pub(super) fn queue(&mut self, pending: Pending) {
        if self.pending.is_empty() && matches!(pending.passed, Passed::Done) {
            return self.finish(pending);
        }
        self.pending_bytes += pending.size();
        self.pending.push_back(pending);
    }

    fn finish(&mut self, pending: Pending) {
        let Pending { message, reply, is_refused, .. } = pending;
        let clients =
            message.map(|message| self.core.hub.publish(&self.visit.key.0, self.session, &message));
        let answer = match reply {
            Reply::Nothing => return,
            Reply::Acknowledged(packet) => {
                let mut answer = PubAck::new(packet, None);
                answer.reason = match (is_refused, clients) {
                    (true, _) => PubAckReason::NotAuthorized,
                    (false, Some(0)) => PubAckReason::NoMatchingSubscribers,
                    _ => PubAckReason::Success,
                };
                Packet::PubAck(answer)
            }
            Reply::Received(packet) => {
                let mut answer = PubRec::new(packet, None);
                if is_refused {
                    answer.reason = PubRecReason::NotAuthorized;
                }
                Packet::PubRec(answer)
            }
        };
        self.send(answer);
    }
}

impl Pending {
    fn size(&self) -> usize {
        self.message.as_ref().map_or(0, |message| message.size)
    }
}
