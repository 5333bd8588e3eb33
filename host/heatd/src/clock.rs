//! The time of events, and the ticks at which timers fire and quiet groups are flushed.

mod steady;

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tracing::{info, warn};

use crate::metrics::Health;
use crate::queue::{Agenda, Input};
use crate::shutdown::Shutdown;
use steady::{HOLD, News, Steady};

/// Time is one for all of the process.
static CLOCK: Mutex<Option<Steady>> = Mutex::new(None);

/// Milliseconds since 1970: by the system's clock, as long as that does not jump.
pub(crate) fn now() -> u64 {
    let (system, instant) = (system(), Instant::now());
    // Nothing in here panics, so a poisoned lock cannot be.
    let mut clock = CLOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let (now, news) =
        clock.get_or_insert_with(|| Steady::new(system, instant)).read(system, instant);
    drop(clock);
    news.inspect(|news| tell(*news));
    now
}

fn system() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}

fn tell(news: News) {
    let hold = HOLD.as_secs();
    match news {
        News::JumpedAhead { by_ms } => {
            warn!(
                by_ms,
                "the clock has jumped ahead; it is followed if it stays there for {hold} seconds"
            );
        }
        News::JumpedBack { by_ms } => {
            warn!(
                by_ms,
                "the clock has jumped back; heatd's time goes on, a little slower until both agree"
            );
        }
        News::Followed { by_ms } => warn!(by_ms, "heatd follows the clock, which has jumped ahead"),
        News::Agreed => info!("the clock and heatd's time agree again"),
    }
}

/// Time that passes evenly, from the first time that this is asked: for measuring.
pub(crate) fn elapsed() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// How long a start waits for a clock that is behind the store.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits while the clock is behind the newest record of the store, for a while. A Pi has no clock of its own: until it has asked the
/// network for the time it may think that it is last week, and an event of last week after one of today would be wrong for ever.
///
/// A clock that is still behind then was ahead when the record was made, or is set by nobody: heatd's time goes on where it was.
pub(crate) async fn catch_up(newest: u64, patience: Duration, health: &Health) {
    let begun = Instant::now();
    while system() < newest {
        health.waits_for_clock(true);
        let behind_ms = newest.saturating_sub(system());
        let left = patience.saturating_sub(begun.elapsed());
        if left.is_zero() {
            warn!(
                behind_ms,
                "the clock is still behind the store; heatd's time goes on where the store ends"
            );
            break;
        }
        warn!(behind_ms, "the clock is behind the store; waiting for it to be set");
        sleep(Duration::from_millis(behind_ms.min(5_000)).min(left)).await;
    }
    let clock = match system() {
        system if system < newest => Steady::ahead_of_clock(newest, Instant::now()),
        system => Steady::new(system, Instant::now()),
    };
    // Who asked for the time before this knew less.
    *CLOCK.lock().unwrap_or_else(PoisonError::into_inner) = Some(clock);
    health.waits_for_clock(false);
}

/// The longest time without a look at the clock, which may have been set meanwhile.
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
                    // A jump is noticed also where nothing happens.
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

/// How long until the first thing on the agenda.
fn wait(agenda: Agenda) -> Option<Duration> {
    let timer = agenda.timer.map(|at| Duration::from_millis(at.saturating_sub(now())));
    let flush = agenda.flush.map(|at| at.saturating_duration_since(Instant::now()));
    timer.into_iter().chain(flush).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_start_does_not_wait_for_ever_and_time_goes_on_where_the_store_ends() {
        let health = Health::new(0, Instant::now());
        let ahead = system() + 3_600_000;
        catch_up(ahead, Duration::from_millis(50), &health).await;
        let first = now();
        assert!(first >= ahead && first < ahead + 600_000, "{first} after {ahead}");
        assert!(now() >= first);
        // A store that is behind the clock holds nothing up.
        catch_up(1, Duration::ZERO, &health).await;
        assert!(now() < ahead);
    }
}
