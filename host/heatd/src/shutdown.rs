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

/// Resolves at Ctrl-C, at SIGTERM, which systemd and Kubernetes send to stop a service, and at SIGHUP, when the terminal is closed.
pub(crate) fn asked_for() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let (mut terminate, mut hangup) = {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate()).context("failed to wait for SIGTERM")?;
        let hangup = (!ignores_hangup()).then(|| signal(SignalKind::hangup())).transpose();
        (terminate, hangup.context("failed to wait for SIGHUP")?)
    };
    #[cfg(unix)]
    let closed = async move {
        match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => std::future::pending().await,
        }
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
            _ = closed => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Whether SIGHUP is ignored, because the program was started with nohup. Listening would undo that. Only Linux says so; elsewhere the
/// program ends with its terminal.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    const HANGUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & HANGUP != 0)
}
