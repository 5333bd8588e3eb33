//! The shutdown, which flows with the data: sources stop, the engine commits what is left, the broker's connection says goodbye.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::time::timeout;
use tracing::info;

use super::running::Running;
use crate::shutdown::Trigger;

/// How long the shutdown may take, from the last source to the last word.
const GRACE: Duration = Duration::from_secs(20);

impl Running {
    /// Stops everything in order. `cause` is why; an error of it wins over what goes wrong meanwhile.
    pub(super) async fn stop(mut self, trigger: Trigger, cause: Result<()>) -> Result<()> {
        info!("heatd stops");
        self.metrics.health().stopping();
        trigger.pull();
        // An engine that has ended already, by a failure, is not asked again.
        let is_engine_there = cause.is_ok();
        let stopped = timeout(GRACE, self.drain(is_engine_there))
            .await
            .unwrap_or_else(|_| Err(anyhow!("the shutdown took longer than {GRACE:?}")));
        cause.and(stopped)
    }

    async fn drain(&mut self, is_engine_there: bool) -> Result<()> {
        while let Some(ended) = self.sources.join_next().await {
            ended.context("a source of events panicked")??;
        }
        if is_engine_there {
            (&mut self.engine).await.context("the engine's thread panicked")??;
        }
        while let Some(ended) = self.outward.join_next().await {
            ended.context("a connection panicked")??;
        }
        Ok(())
    }
}
