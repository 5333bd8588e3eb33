//! The wall clock: the time of events, and the ticks at which timers fire and quiet groups are flushed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tracing::warn;

use crate::decider::{Agenda, Input};
use crate::shutdown::Shutdown;

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}

/// Waits while the clock is behind the newest record of the store. A Pi has no clock of its own: until it has asked the network
/// for the time it may think that it is last week, and an event of last week after one of today would be wrong for ever.
pub(crate) async fn catch_up(newest: u64) {
    while now() < newest {
        let behind_ms = newest.saturating_sub(now());
        warn!(behind_ms, "the clock is behind the store; waiting for it to be set");
        sleep(Duration::from_millis(behind_ms.min(5_000))).await;
    }
}

/// Sends a tick when a timer comes due or a group has to be flushed. Sleeps as long as neither is ahead.
pub(crate) async fn run(
    mut agenda: watch::Receiver<Agenda>,
    inputs: mpsc::Sender<Input>,
    mut shutdown: Shutdown,
) {
    loop {
        let next = agenda.borrow_and_update().next();
        let wait = next.map(|at| Duration::from_millis(at.saturating_sub(now())));
        tokio::select! {
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => {
                if inputs.send(Input::tick(now())).await.is_err() {
                    return;
                }
                // The engine answers every tick with a new agenda.
                if agenda.changed().await.is_err() {
                    return;
                }
            }
            changed = agenda.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = shutdown.begun() => return,
        }
    }
}
