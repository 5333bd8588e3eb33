//! Messages of a client that wait for the engine's commit. [`super::settling`] does what follows.

use std::collections::VecDeque;
use std::sync::Arc;

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
    pub(super) is_committed: bool,
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

impl Pending {
    pub(super) fn size(&self) -> usize {
        self.message.as_ref().map_or(0, |message| message.size)
    }
}
