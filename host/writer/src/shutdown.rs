//! When the system or the streamer wants the program to end.

use anyhow::{Context, Result};

use crate::report;

/// Completes on Ctrl-C, on the system's request to end, and when the terminal is closed.
#[cfg(unix)]
pub(crate) fn requested() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).context("failed to listen for signals");
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let ignores_hangup = ignores_hangup();
    let mut hangup = (!ignores_hangup).then(|| listen(SignalKind::hangup())).transpose()?;
    let closed = async move {
        match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => std::future::pending().await,
        }
    };
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = closed => {}
            () = report::unread() => {}
        }
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
            () = report::unread() => {}
        }
    })
}
