//! How long to wait before the next attempt: twice as long each time, up to a limit, and never as long as everybody else.

use std::time::Duration;

/// A connection that lasted so long was of use: after it the first wait is a short one again.
pub(crate) const LASTING: Duration = Duration::from_secs(30);

/// The waits of one connection.
pub(crate) struct Backoff {
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// The first wait is of half a second at most.
    pub(crate) fn up_to(longest: Duration) -> Self {
        Self { longest, failures: 0 }
    }

    /// The connection was of use.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(crate) fn next(&mut self) -> Duration {
        let wait = Duration::from_millis(500).saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        wait.min(self.longest).mul_f64(1.0 - fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest_and_start_again() {
        let mut backoff = Backoff::up_to(Duration::from_secs(2));
        for longest in [500, 1000, 2000, 2000] {
            let wait = backoff.next().as_millis();
            assert!((longest / 2..=longest).contains(&wait), "{wait} of {longest}");
        }
        backoff.reset();
        assert!(backoff.next().as_millis() <= 500);
    }
}
