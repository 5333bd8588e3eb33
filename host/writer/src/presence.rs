//! Whether values can be trusted to be current: the broker is there, and the daemon says that it is. Pure: time is an
//! argument.

use std::time::{Duration, Instant};

/// What is known of the broker and the daemon.
#[derive(Debug)]
pub(crate) struct Presence {
    offline_after: Duration,
    /// Since when the broker is away; the program starts without one.
    lost_since: Option<Instant>,
    /// What the daemon last said. It stays over a lost connection: the broker repeats it if it changed.
    daemon_offline: bool,
}

impl Presence {
    pub(crate) fn new(offline_after: Duration, now: Instant) -> Self {
        Self { offline_after, lost_since: Some(now), daemon_offline: false }
    }

    pub(crate) fn broker_up(&mut self) {
        self.lost_since = None;
    }

    /// Further failures do not restart the clock.
    pub(crate) fn broker_down(&mut self, now: Instant) {
        self.lost_since.get_or_insert(now);
    }

    /// Takes the daemon's status; true when it says something new. Whatever is not `offline` counts as online, so that
    /// a later version may say more.
    pub(crate) fn status(&mut self, payload: &[u8]) -> bool {
        let offline = payload.trim_ascii() == b"offline";
        std::mem::replace(&mut self.daemon_offline, offline) != offline
    }

    pub(crate) fn daemon_is_offline(&self) -> bool {
        self.daemon_offline
    }

    pub(crate) fn broker_is_lost(&self, now: Instant) -> bool {
        self.lost_at().is_some_and(|at| at <= now)
    }

    /// When the broker counts as lost, if it is away.
    pub(crate) fn lost_at(&self) -> Option<Instant> {
        Some(self.lost_since? + self.offline_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn broker_is_lost_only_after_a_while() {
        let start = Instant::now();
        let mut presence = Presence::new(10 * SECOND, start);
        assert!(!presence.broker_is_lost(start + 9 * SECOND));
        presence.broker_down(start + 9 * SECOND);
        assert!(presence.broker_is_lost(start + 10 * SECOND));
        presence.broker_up();
        assert_eq!(presence.lost_at(), None);
        assert!(!presence.broker_is_lost(start + 99 * SECOND));
    }

    #[test]
    fn daemon_is_offline_when_it_says_so() {
        let mut presence = Presence::new(SECOND, Instant::now());
        assert!(!presence.status(b"online"));
        assert!(presence.status(b"offline\n"));
        assert!(!presence.status(b"offline"));
        assert!(presence.daemon_is_offline());
        assert!(presence.status(b""));
        assert!(!presence.daemon_is_offline());
    }
}
