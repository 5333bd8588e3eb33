//! The ticks at which timers fire and quiet groups are flushed.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::agenda::Agenda;
use super::input::Input;
use crate::clock::now;
use crate::shutdown::Shutdown;

/// The clock is read at least this often, because it may have been set.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);

/// Sends a tick when a timer comes due or a group has to be flushed. Sleeps while neither is ahead.
pub(crate) async fn run(
    mut agenda: watch::Receiver<Agenda>,
    inputs: mpsc::Sender<Input>,
    mut shutdown: Shutdown,
) -> Result<()> {
    loop {
        let next = *agenda.borrow_and_update();
        let wait = wait(next);
        tokio::select! {
            () = sleep(wait.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)) => {
                if wait.is_none_or(|wait| wait > LONGEST_SLEEP) {
                    // Reading the time notices a jump of the clock, even when nothing happens.
                    now();
                    continue;
                }
                // The engine answers every tick with a new agenda; without an engine there is nothing to wake.
                if inputs.send(Input::tick(now())).await.is_err() || agenda.changed().await.is_err() {
                    return Ok(());
                }
            }
            changed = agenda.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
            }
            () = shutdown.begun() => return Ok(()),
        }
    }
}

/// How long until the next tick is due.
fn wait(agenda: Agenda) -> Option<Duration> {
    let timer = agenda.timer.map(|at| Duration::from_millis(at.saturating_sub(now())));
    let flush = agenda.flush.map(|at| at.saturating_duration_since(Instant::now()));
    timer.into_iter().chain(flush).min()
}
