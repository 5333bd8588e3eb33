//! Records changes of a set of emotes in the log, by way of the engine's thread.

use heat_engine::wit::EmoteProvider;
use tokio::sync::{mpsc, oneshot};

use super::sets::Changes;
use crate::queue::{EngineAccess, Input};

/// The way to the engine's thread. It holds the queue weakly, because the queue ends with its sources.
#[derive(Clone)]
pub(super) struct Announcer {
    pub(super) inputs: mpsc::WeakSender<Input>,
}

impl Announcer {
    /// Records a change, and waits until it is durable. False: heatd is shutting down, and nothing was recorded.
    pub(super) async fn enter(
        &self,
        channel: &str,
        provider: EmoteProvider,
        changes: Changes,
    ) -> bool {
        if changes.is_empty() {
            return true;
        }
        let (done, answer) = oneshot::channel();
        let channel = channel.to_owned();
        let task = move |access: &mut EngineAccess<'_>| {
            access.engine.emotes_changed(&channel, provider, changes.added, changes.removed);
            access.after(move || {
                // The one who waits may be gone.
                let _ = done.send(());
            });
            Ok(())
        };
        let Some(inputs) = self.inputs.upgrade() else { return false };
        if inputs.send(Input::task("emotes.change", task)).await.is_err() {
            return false;
        }
        drop(inputs);
        answer.await.is_ok()
    }
}
