//! How long each test of a program took, by the lines that the program prints.
//!
//! Stable Rust's harness names a test when it ends, and no time. But it starts tests in the order of its list, so many at once, and the
//! next one when one has ended: the list and the ends tell the starts.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

pub(super) struct Clock {
    waiting: VecDeque<String>,
    running: HashMap<String, Instant>,
}

impl Clock {
    /// For a program that starts now, with these tests, so many at once.
    pub(super) fn new(tests: Vec<String>, at_once: usize, now: Instant) -> Self {
        let mut clock = Self { waiting: tests.into(), running: HashMap::new() };
        (0..at_once).for_each(|_| clock.start(now));
        clock
    }

    /// A test has ended. How long it took, if it was on the list.
    pub(super) fn end(&mut self, test: &str, now: Instant) -> Option<Duration> {
        let begun = self.running.remove(test);
        self.start(now);
        begun.map(|begun| now.duration_since(begun))
    }

    /// The tests that have not ended: those that ran, and those that were still to come.
    pub(super) fn left(self) -> (Vec<String>, Vec<String>) {
        let mut running: Vec<String> = self.running.into_keys().collect();
        running.sort();
        (running, self.waiting.into())
    }

    fn start(&mut self, now: Instant) {
        if let Some(test) = self.waiting.pop_front() {
            self.running.insert(test, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_begins_when_another_ends() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let tests = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        let mut clock = Clock::new(tests, 2, start);
        assert_eq!(clock.end("b", at(3)), Some(Duration::from_secs(3)));
        assert_eq!(clock.end("c", at(4)), Some(Duration::from_secs(1)));
        assert_eq!(clock.end("a", at(9)), Some(Duration::from_secs(9)));
        assert_eq!(clock.end("nobody", at(9)), None);
        let (running, waiting) = clock.left();
        assert_eq!(running, ["d", "e"]);
        assert!(waiting.is_empty());
    }
}
