//! When the system or the streamer wants the program to end.

use anyhow::{Context, Result};

/// Completes on Ctrl-C and on the system's request to end.
#[cfg(unix)]
pub(crate) fn requested() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).context("failed to listen for signals");
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes on Ctrl-C, when the window is closed, at logoff and at shutdown.
#[cfg(windows)]
pub(crate) fn requested() -> Result<impl Future<Output = ()>> {
    use tokio::signal::windows;
    let context = "failed to listen for the end of the session";
    let mut interrupt = windows::ctrl_c().context(context)?;
    let mut interrupt_too = windows::ctrl_break().context(context)?;
    let mut close = windows::ctrl_close().context(context)?;
    let mut logoff = windows::ctrl_logoff().context(context)?;
    let mut shutdown = windows::ctrl_shutdown().context(context)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = interrupt_too.recv() => {}
            _ = close.recv() => {}
            _ = logoff.recv() => {}
            _ = shutdown.recv() => {}
        }
    })
}
