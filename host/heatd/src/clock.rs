//! The wall clock: the time of events, and the ticks at which timers fire and quiet groups are flushed.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tracing::warn;

use crate::decider::{Agenda, Input};
use crate::health::Health;
use crate::shutdown::Shutdown;

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}

/// Time that passes evenly, from the first time that this is asked: for measuring.
pub(crate) fn elapsed() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Waits while the clock is behind the newest record of the store. A Pi has no clock of its own: until it has asked the network
/// for the time it may think that it is last week, and an event of last week after one of today would be wrong for ever.
pub(crate) async fn catch_up(newest: u64, health: &Health) {
    while now() < newest {
        health.waits_for_clock(true);
        let behind_ms = newest.saturating_sub(now());
        warn!(behind_ms, "the clock is behind the store; waiting for it to be set");
        sleep(Duration::from_millis(behind_ms.min(5_000))).await;
    }
    health.waits_for_clock(false);
}

/// The longest sleep before a look at the clock, which may have been set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Sends a tick when a timer comes due or a group has to be flushed. Sleeps as long as neither is ahead.
pub(crate) async fn run(
    mut agenda: watch::Receiver<Agenda>,
    inputs: mpsc::Sender<Input>,
    mut shutdown: Shutdown,
) -> Result<()> {
    loop {
        let next = *agenda.borrow_and_update();
        let wait = wait(next);
        tokio::select! {
            () = sleep(wait.unwrap_or_default().min(LONGEST_SLEEP)), if wait.is_some() => {
                if wait.is_some_and(|wait| wait > LONGEST_SLEEP) {
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

/// How long until the first thing on the agenda.
fn wait(agenda: Agenda) -> Option<Duration> {
    let timer = agenda.timer.map(|at| Duration::from_millis(at.saturating_sub(now())));
    let flush = agenda.flush.map(|at| at.saturating_duration_since(Instant::now()));
    timer.into_iter().chain(flush).min()
}
