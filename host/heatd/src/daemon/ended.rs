//! What ends a heatd that runs: a wish from outside, or a part that should not have ended.

use std::pin::Pin;
use std::time::Duration;

use anyhow::{Result, anyhow};
use heat_engine::StoreError;
use tokio::sync::oneshot::error::RecvError;
use tokio::task::JoinError;
use tokio::time::timeout;

use super::running::Running;
use crate::data::DataDir;

/// How long the engine is waited for, to hear whether it has taken another part with it.
const ENGINE: Duration = Duration::from_secs(1);

impl Running {
    /// Waits until heatd has to stop. An error says which part has ended, and why.
    pub(super) async fn first_end<F: Future<Output = ()>>(
        &mut self,
        asked_to_stop: &mut Pin<&mut F>,
    ) -> Result<()> {
        tokio::select! {
            () = asked_to_stop => Ok(()),
            ended = &mut self.engine => Err(engine_error(&self.data_dir, ended)),
            Some(ended) = self.sources.join_next() => Err(self.unexpected("a source of events", &ended).await),
            Some(ended) = self.outward.join_next() => Err(self.unexpected("a connection", &ended).await),
            ended = &mut self.embedded => Err(ended),
        }
    }

    /// Why a part has ended that should not. A store that fails takes the queue with it, and then sources and connections end as
    /// well: so the engine is asked first.
    async fn unexpected(
        &mut self,
        what: &str,
        ended: &Result<Result<()>, JoinError>,
    ) -> anyhow::Error {
        match timeout(ENGINE, &mut self.engine).await {
            Ok(result) => engine_error(&self.data_dir, result),
            Err(_) => anyhow!("{what} ended unexpectedly: {ended:?}"),
        }
    }
}

fn engine_error(
    data_dir: &DataDir,
    ended: Result<Result<(), StoreError>, RecvError>,
) -> anyhow::Error {
    match ended {
        // The service manager starts heatd again, and then the store is verified.
        Ok(Err(error)) => data_dir.explain("heatd must start again: failed to go on with", error),
        Ok(Ok(())) => anyhow!("the engine ended unexpectedly"),
        Err(_) => anyhow!("the engine's thread panicked"),
    }
}
