//! When a file may be written: at most once per interval, at once if possible, and the last value always. Pure: time is
//! an argument.

use std::time::{Duration, Instant};

/// How long to wait after a write that failed.
const RETRY: Duration = Duration::from_secs(1);

/// The text that one file still has to get, and the moment from which it may be written.
#[derive(Debug)]
pub(crate) struct Outlet {
    every: Duration,
    /// Newer texts replace this one, so only the last is written.
    pending: Option<String>,
    not_before: Option<Instant>,
}

impl Outlet {
    pub(crate) fn new(every: Duration) -> Self {
        Self { every, pending: None, not_before: None }
    }

    pub(crate) fn want(&mut self, text: String) {
        self.pending = Some(text);
    }

    /// The moment of the next write; `None` when there is nothing to write.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        self.pending.as_ref()?;
        Some(self.not_before.map_or(now, |at| at.max(now)))
    }

    /// The text to write now.
    pub(crate) fn ready(&self, now: Instant) -> Option<&str> {
        let is_due = self.due(now)? <= now;
        self.pending.as_deref().filter(|_| is_due)
    }

    /// The text to write however recent the last write is: the program ends.
    pub(crate) fn last(&self) -> Option<&str> {
        self.pending.as_deref()
    }

    /// The pending text is in the file. One that was there before costs no interval.
    pub(crate) fn written(&mut self, now: Instant, changed: bool) {
        self.pending = None;
        if changed {
            self.not_before = Some(now + self.every);
        }
    }

    /// The pending text stays and is tried again.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.not_before = Some(now + RETRY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const TENTH: Duration = Duration::from_millis(100);

    #[test]
    fn first_text_is_written_at_once() {
        let start = Instant::now();
        let mut outlet = Outlet::new(SECOND);
        assert_eq!(outlet.due(start), None);
        outlet.want("1".into());
        assert_eq!(outlet.due(start), Some(start));
        assert_eq!(outlet.ready(start), Some("1"));
    }

    #[test]
    fn in_between_texts_are_skipped_and_the_last_is_written() {
        let start = Instant::now();
        let mut outlet = Outlet::new(SECOND);
        outlet.want("1".into());
        outlet.written(start, true);
        outlet.want("2".into());
        outlet.want("3".into());
        assert_eq!(outlet.ready(start + 9 * TENTH), None);
        assert_eq!(outlet.due(start + TENTH), Some(start + SECOND));
        assert_eq!(outlet.ready(start + SECOND), Some("3"));
        outlet.written(start + SECOND, true);
        assert_eq!(outlet.due(start + SECOND), None);
    }

    #[test]
    fn unchanged_text_costs_no_interval() {
        let start = Instant::now();
        let mut outlet = Outlet::new(SECOND);
        outlet.want("1".into());
        outlet.written(start, false);
        outlet.want("2".into());
        assert_eq!(outlet.ready(start), Some("2"));
    }

    #[test]
    fn failed_write_is_repeated_every_second_with_the_newest_text() {
        let start = Instant::now();
        let mut outlet = Outlet::new(Duration::ZERO);
        outlet.want("1".into());
        outlet.failed(start);
        assert_eq!(outlet.ready(start + 9 * TENTH), None);
        outlet.want("2".into());
        assert_eq!(outlet.ready(start + SECOND), Some("2"));
        outlet.failed(start + SECOND);
        assert_eq!(outlet.due(start + SECOND), Some(start + 2 * SECOND));
    }

    #[test]
    fn without_an_interval_every_text_is_written() {
        let start = Instant::now();
        let mut outlet = Outlet::new(Duration::ZERO);
        for text in ["1", "2", "3"] {
            outlet.want(text.into());
            assert_eq!(outlet.ready(start), Some(text));
            outlet.written(start, true);
        }
    }

    #[test]
    fn last_text_does_not_wait_for_the_interval() {
        let start = Instant::now();
        let mut outlet = Outlet::new(SECOND);
        outlet.want("1".into());
        outlet.written(start, true);
        assert_eq!(outlet.last(), None);
        outlet.want("2".into());
        assert_eq!(outlet.last(), Some("2"));
    }
}
