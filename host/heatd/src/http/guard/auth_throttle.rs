//! Slows down guessing: wrong tokens beyond a few in ten seconds are refused for the rest of that time, and logged once for each burst.

use std::time::{Duration, Instant};

use tracing::warn;

/// How many wrong tokens in a window are answered with 401. Further ones must wait.
const MOST: u32 = 10;
const WINDOW: Duration = Duration::from_secs(10);

/// The wrong tokens of the current window.
#[derive(Debug, Default)]
pub(crate) struct AuthThrottle {
    since: Option<Instant>,
    count: u32,
    /// Whether the current burst was logged.
    told: bool,
}

impl AuthThrottle {
    /// Counts a wrong token. If there were too many, returns after how many seconds to try again.
    pub(crate) fn wrong(&mut self, now: Instant) -> Option<u64> {
        let since = *self.since.get_or_insert(now);
        let age = now.saturating_duration_since(since);
        if age >= WINDOW {
            // A burst is over when a whole window had no more tries than are allowed.
            self.told &= self.count > MOST && age < 2 * WINDOW;
            (self.since, self.count) = (Some(now), 0);
        }
        self.count = self.count.saturating_add(1);
        if self.count <= MOST {
            return None;
        }
        if !self.told {
            self.told = true;
            warn!("somebody guesses the token of the API; wrong ones have to wait");
        }
        let since = self.since.unwrap_or(now);
        let left = WINDOW.saturating_sub(now.saturating_duration_since(since));
        Some(left.as_secs_f64().ceil() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries so many times at one moment, and how many of them have to wait.
    fn tries(throttle: &mut AuthThrottle, now: Instant, count: u32) -> usize {
        (0..count).filter(|_| throttle.wrong(now).is_some()).count()
    }

    #[test]
    fn ten_in_ten_seconds_are_answered_and_then_it_is_waited() {
        let (mut throttle, start) = (AuthThrottle::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(tries(&mut throttle, start, 10), 0);
        assert_eq!(throttle.wrong(after(3)), Some(7));
        assert_eq!(tries(&mut throttle, after(9), 5), 5);
        assert_eq!(tries(&mut throttle, after(10), 12), 2);
        assert_eq!(tries(&mut throttle, after(3600), 10), 0);
    }

    #[test]
    fn a_burst_is_told_once_and_the_next_one_again() {
        let (mut throttle, start) = (AuthThrottle::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        tries(&mut throttle, start, 10);
        assert!(!throttle.told, "ten are no burst");
        for window in 0..5 {
            tries(&mut throttle, after(window * 10), 20);
            assert!(throttle.told, "window {window}");
        }
        tries(&mut throttle, after(50), 3);
        tries(&mut throttle, after(60), 3);
        assert!(!throttle.told, "a quiet window ends the burst");
    }
}
