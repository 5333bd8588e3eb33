//! The way to the engine's thread, and why something was not done.

use heat_engine::{Refused, RunError, StoreError};
use tokio::sync::oneshot;

use super::Live;
use crate::queue::{Desk, Input};

/// Why something was not done. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such channel, slot or record.
    Unknown(String),
    /// It cannot be done.
    Refused(String),
    /// heatd stops.
    Gone,
}

impl Refusal {
    pub(crate) fn no_channel(channel: &str) -> Self {
        let known = "heat channels list shows them";
        Self::Unknown(format!("heatd has no channel {channel:?}; {known}"))
    }

    pub(crate) fn because(why: impl std::fmt::Display) -> Self {
        Self::Refused(why.to_string())
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(why) | Self::Refused(why) => f.write_str(why),
            Self::Gone => f.write_str("heatd is shutting down"),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(Refused(why): Refused) -> Self {
        Self::Refused(why)
    }
}

impl From<RunError> for Refusal {
    fn from(error: RunError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            // Whatever has failed is in heatd's log, and ends it.
            StoreError::Uncounted => Self::Gone,
            error => Self::Refused(error.to_string()),
        }
    }
}

impl Live {
    /// Does something on the engine's thread between two events, and waits until it is durable. Not for a task of the runtime,
    /// which must not wait so.
    pub(crate) fn ask<V: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Desk<'_>) -> Result<V, StoreError> + Send + 'static,
    ) -> Result<V, Refusal> {
        let (done, answer) = oneshot::channel();
        let task = move |desk: &mut Desk<'_>| {
            let value = task(desk)?;
            // Who has asked may be gone.
            desk.after(move || drop(done.send(value)));
            Ok(())
        };
        let inputs = self.inputs.upgrade().ok_or(Refusal::Gone)?;
        inputs.blocking_send(Input::task(Box::new(task))).map_err(|_| Refusal::Gone)?;
        drop(inputs);
        answer.blocking_recv().map_err(|_| Refusal::Gone)
    }
}
