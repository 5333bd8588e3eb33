//! The shutdown: what asks for it, and how a task waits for it.

use anyhow::{Context, Result};
use tokio::sync::watch;

/// What a task holds to learn that it has to end.
#[derive(Clone)]
pub(crate) struct Shutdown(watch::Receiver<bool>);

/// What tells all tasks to end.
pub(crate) struct Trigger(watch::Sender<bool>);

/// A trigger, and what listens to it.
pub(crate) fn channel() -> (Trigger, Shutdown) {
    let (trigger, shutdown) = watch::channel(false);
    (Trigger(trigger), Shutdown(shutdown))
}

impl Trigger {
    pub(crate) fn pull(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Resolves when the shutdown has begun; also when nobody is left who could begin it.
    pub(crate) async fn begun(&mut self) {
        let _ = self.0.wait_for(|down| *down).await;
    }

    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }
}

/// Resolves at Ctrl-C and at SIGTERM, which systemd and Kubernetes send to stop a service.
pub(crate) fn asked_for() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).context("failed to wait for SIGTERM")?
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}
