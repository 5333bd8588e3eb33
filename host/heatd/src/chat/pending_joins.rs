//! Joins that Twitch has not confirmed yet: of wrong names, of suspended channels, or lost on the way.
//!
//! Twitch confirms a JOIN with the same line. To a JOIN of a channel that does not exist it answers nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// The longest wait before a channel is asked for again.
const LONGEST: Duration = Duration::from_secs(600);

/// Pure: time is an argument.
pub(super) struct PendingJoins {
    patience: Duration,
    /// For each channel: when the current wait ends, if it is waited for, and how long that wait is.
    channels: BTreeMap<String, (Option<Instant>, Duration)>,
}

impl PendingJoins {
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, channels: BTreeMap::new() }
    }

    /// A JOIN was sent. The wait for its confirmation is twice as long as the one before.
    pub(super) fn asked(&mut self, channel: &str, now: Instant) {
        let before = self.channels.get(channel);
        let wait = before.map_or(self.patience, |(_, before)| (*before * 2).min(LONGEST));
        self.channels.insert(channel.to_owned(), (Some(now + wait), wait));
    }

    /// The server has confirmed a channel. False if nobody waited for it.
    pub(super) fn confirmed(&mut self, channel: &str) -> bool {
        self.channels.remove(channel).is_some()
    }

    /// A channel is no longer wanted.
    pub(super) fn forget(&mut self, channel: &str) {
        self.channels.remove(channel);
    }

    /// When the next wait ends.
    pub(super) fn next(&self) -> Option<Instant> {
        self.channels.values().filter_map(|(until, _)| *until).min()
    }

    /// Takes out a channel whose wait is over, with the time of its JOIN. The caller joins it again.
    pub(super) fn overdue(&mut self, now: Instant) -> Option<(String, Instant)> {
        let is_over = |until: &Option<Instant>| until.is_some_and(|until| until <= now);
        let (channel, wait) = self.channels.iter_mut().find(|(_, (until, _))| is_over(until))?;
        let until = wait.0.take()?;
        Some((channel.clone(), until - wait.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_without_an_answer_is_asked_for_again_after_ever_longer_waits() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut awaited = PendingJoins::new(second);
        awaited.asked("nobody", start);
        assert_eq!((awaited.next(), awaited.overdue(start)), (Some(start + second), None));
        assert_eq!(awaited.overdue(start + second), Some(("nobody".to_owned(), start)));
        assert_eq!((awaited.next(), awaited.overdue(start + second)), (None, None));
        awaited.asked("nobody", start + second);
        assert_eq!(awaited.next(), Some(start + 3 * second));
        assert!(awaited.confirmed("nobody") && !awaited.confirmed("nobody"));
    }
}
