//! The time of events: milliseconds since 1970 that never run backwards.

mod slewed;

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::metrics::Health;
use slewed::{ClockChange, HOLD, SlewedClock};

/// Time is one for all of the process.
static CLOCK: Clock = Clock::new();

/// Milliseconds since 1970: by the system's clock, as long as that does not jump.
pub(crate) fn now() -> u64 {
    CLOCK.now()
}

/// Waits while the system's clock is behind the newest record of the store, as [`Clock::wait_for_system`] says.
pub(crate) async fn wait_for_system(newest: u64, timeout: Duration, health: &Health) {
    CLOCK.wait_for_system(newest, timeout, health).await;
}

/// What heatd's time is measured with. It begins when it is asked for the first time.
struct Clock(Mutex<Option<SlewedClock>>);

impl Clock {
    const fn new() -> Self {
        Self(Mutex::new(None))
    }

    fn now(&self) -> u64 {
        let (system, instant) = (system(), Instant::now());
        let mut clock = self.0.lock();
        let (now, news) =
            clock.get_or_insert_with(|| SlewedClock::new(system, instant)).read(system, instant);
        drop(clock);
        news.inspect(|news| tell(*news));
        now
    }

    /// Waits while the clock is behind the newest record of the store, for a while. A Pi has no clock of its own: until it has asked the
    /// network for the time it may think that it is last week, and an event of last week after one of today would be wrong for ever.
    ///
    /// A clock that is still behind then was ahead when the record was made, or is set by nobody: heatd's time goes on where it was.
    async fn wait_for_system(&self, newest: u64, timeout: Duration, health: &Health) {
        let begun = Instant::now();
        while system() < newest {
            health.waits_for_clock(true);
            let behind_ms = newest.saturating_sub(system());
            let left = timeout.saturating_sub(begun.elapsed());
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
            system if system < newest => SlewedClock::ahead_of_clock(newest, Instant::now()),
            system => SlewedClock::new(system, Instant::now()),
        };
        // A caller that asked before this got a time that was less certain.
        *self.0.lock() = Some(clock);
        health.waits_for_clock(false);
    }
}

fn system() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}

fn tell(news: ClockChange) {
    let hold = HOLD.as_secs();
    match news {
        ClockChange::JumpedAhead { by_ms } => {
            warn!(
                by_ms,
                "the clock has jumped ahead; it is followed if it stays there for {hold} seconds"
            );
        }
        ClockChange::JumpedBack { by_ms } => {
            warn!(
                by_ms,
                "the clock has jumped back; heatd's time goes on, a little slower until both agree"
            );
        }
        ClockChange::Update { by_ms } => {
            warn!(by_ms, "heatd follows the clock, which has jumped ahead");
        }
        ClockChange::Agreed => info!("the clock and heatd's time agree again"),
    }
}

/// Time that passes evenly, from the first time that this is asked: for measuring.
pub(crate) fn elapsed() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// How long the running thread was at work: a machine that is busy with other things does not count.
#[cfg(unix)]
pub(crate) fn processor() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Where a system does not tell, nothing is slow.
#[cfg(not(unix))]
pub(crate) fn processor() -> Duration {
    Duration::ZERO
}

/// How long a start waits for a clock that is behind the store.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_start_does_not_wait_for_ever_and_time_goes_on_where_the_store_ends() {
        let health = Health::new(0, Instant::now());
        let ahead = system() + 3_600_000;
        // A clock of its own: other tests of this process read the one of heatd meanwhile.
        let clock = Clock::new();
        clock.wait_for_system(ahead, Duration::from_millis(50), &health).await;
        let first = clock.now();
        assert!(first >= ahead && first < ahead + 600_000, "{first} after {ahead}");
        assert!(clock.now() >= first);
        assert!(now() < ahead, "the clock of heatd is another");
        // A store that is behind the clock holds nothing up.
        clock.wait_for_system(1, Duration::ZERO, &health).await;
        assert!(clock.now() < ahead);
    }
}
