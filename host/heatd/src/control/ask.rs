//! The way to the engine's thread.

use heat_engine::{ChangeError, StoreError};
use tokio::sync::oneshot;

use super::handle::Live;
use super::refusal::Refusal;
use crate::queue::{Desk, Input};

impl Live {
    /// Does something on the engine's thread between two events, and waits until it is durable. `name` says what it is, in the log, in
    /// `heatd_engine_pause_seconds` and in reports of a hang. Not for a task of the runtime, which must not wait so.
    pub(crate) fn ask<V: Send + 'static>(
        &self,
        name: &'static str,
        task: impl FnOnce(&mut Desk<'_>) -> Result<V, StoreError> + Send + 'static,
    ) -> Result<V, Refusal> {
        self.change(name, move |desk| Ok(task(desk)?))
    }

    /// As [`Live::ask`], for what may be rejected. That is an answer for the caller; a store that fails stops the engine.
    pub(crate) fn change<V: Send + 'static>(
        &self,
        name: &'static str,
        task: impl FnOnce(&mut Desk<'_>) -> Result<V, ChangeError> + Send + 'static,
    ) -> Result<V, Refusal> {
        let (done, answer) = oneshot::channel();
        let task = move |desk: &mut Desk<'_>| {
            let value = match task(desk) {
                Ok(value) => Ok(value),
                Err(ChangeError::Rejected(why)) => Err(Refusal::Refused(why)),
                Err(ChangeError::Store(error)) => return Err(error),
            };
            // The caller may be gone.
            desk.after(move || drop(done.send(value)));
            Ok(())
        };
        let inputs = self.inputs.upgrade().ok_or(Refusal::Gone)?;
        inputs.blocking_send(Input::task(name, task)).map_err(|_| Refusal::Gone)?;
        drop(inputs);
        answer.blocking_recv().map_err(|_| Refusal::Gone)?
    }
}
