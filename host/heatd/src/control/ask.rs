//! The way to the engine's thread.

use heat_engine::{ChangeError, StoreError};
use tokio::sync::oneshot;

use super::error::Error;
use super::handle::Control;
use crate::queue::{EngineAccess, Input};

impl Control {
    /// Does something on the engine's thread between two events, and waits until it is durable. `name` says what it is, in the log, in
    /// `heatd_engine_pause_seconds` and in reports of a hang. Not for a task of the runtime, which must not wait so.
    pub(crate) fn on_engine_thread<V: Send + 'static>(
        &self,
        name: &'static str,
        task: impl FnOnce(&mut EngineAccess<'_>) -> Result<V, StoreError> + Send + 'static,
    ) -> Result<V, Error> {
        self.change(name, move |access| Ok(task(access)?))
    }

    /// As [`Control::on_engine_thread`], for what may be rejected. That is an answer for the caller; a store that fails stops the engine.
    pub(crate) fn change<V: Send + 'static>(
        &self,
        name: &'static str,
        task: impl FnOnce(&mut EngineAccess<'_>) -> Result<V, ChangeError> + Send + 'static,
    ) -> Result<V, Error> {
        let (done, answer) = oneshot::channel();
        let task = move |access: &mut EngineAccess<'_>| {
            let value = match task(access) {
                Ok(value) => Ok(value),
                Err(ChangeError::Rejected(why)) => Err(Error::Refused(why)),
                Err(ChangeError::Store(error)) => return Err(error),
            };
            // The caller may be gone.
            access.after(move || drop(done.send(value)));
            Ok(())
        };
        let inputs = self.inputs.upgrade().ok_or(Error::Gone)?;
        inputs.blocking_send(Input::task(name, task)).map_err(|_| Error::Gone)?;
        drop(inputs);
        answer.blocking_recv().map_err(|_| Error::Gone)?
    }
}
