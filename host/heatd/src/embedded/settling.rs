//! Delivers and acknowledges the messages of a client once they are committed, in the order in which they came.

use rumqttc::{Packet, PubAck, PubAckReason, PubRec, PubRecReason};
use tokio::io::{AsyncRead, AsyncWrite};

use super::client::{ClientConnection, End};
use super::inlet::Passed;
use super::pending::{Pending, Reply, Settled};

impl<S: AsyncRead + AsyncWrite> ClientConnection<S> {
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
