//! How long to wait before the next try. Pure: chance is an argument.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// A connection that lasted this long was a good one, and the next loss is a new story. One that broke at once, because
/// of a message that this program cannot take for example, would break at once again.
const GOOD: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: SHORTEST }
    }

    pub(crate) fn connection_lasted(&mut self, lasted: Duration) {
        if lasted >= GOOD {
            self.next = SHORTEST;
        }
    }

    /// Something a person must mend: there is no hurry.
    pub(crate) fn needs_a_person(&mut self) {
        self.next = LONGEST;
    }

    /// The next wait, a quarter shorter or longer by `chance` between 0 and 1, so that programs that lost the broker
    /// together do not come back together.
    pub(crate) fn wait(&mut self, chance: f64) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST);
        wait.mul_f64(0.75 + chance / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(backoff: &mut Backoff, count: usize) -> Vec<f64> {
        (0..count).map(|_| backoff.wait(0.5).as_secs_f64()).collect()
    }

    #[test]
    fn waits_double_up_to_half_a_minute() {
        let mut backoff = Backoff::new();
        assert_eq!(waits(&mut backoff, 8), [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
    }

    #[test]
    fn only_a_connection_that_lasted_starts_over() {
        let mut backoff = Backoff::new();
        waits(&mut backoff, 4);
        backoff.connection_lasted(Duration::from_secs(1));
        assert_eq!(waits(&mut backoff, 1), [8.0]);
        backoff.connection_lasted(GOOD);
        assert_eq!(waits(&mut backoff, 1), [0.5]);
    }

    #[test]
    fn chance_moves_a_wait_by_a_quarter() {
        let mut backoff = Backoff::new();
        backoff.needs_a_person();
        assert_eq!(backoff.wait(0.0), Duration::from_millis(22_500));
        assert_eq!(backoff.wait(1.0), Duration::from_millis(37_500));
    }
}
