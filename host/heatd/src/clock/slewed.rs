//! A clock that slews: it follows the system's clock, but not its jumps. Pure: both clocks' readings are arguments.
//!
//! Half-lives, timers and cooldowns are measured by it. A clock that is set wrong for a moment must cost no heat, and one that
//! is set back must not freeze it: the engine's time never runs backwards, so it would stand still until the clock has caught up.

use std::time::{Duration, Instant};

/// A smaller difference is no jump but the daily correction of the clock, and is followed at once.
const STEP_MS: u64 = 2_000;

/// After a jump ahead, the system's clock must stay there this long before it is followed.
pub(super) const HOLD: Duration = Duration::from_secs(60);

/// While heatd's time is ahead of the system's, it runs slower by one part in this many.
const SLOWER: u128 = 20;

/// heatd's time, in milliseconds since 1970.
pub(super) struct SlewedClock {
    /// The time at `base`; from there on it is measured by the monotonic clock.
    at: u64,
    base: Instant,
    doubt: Option<Doubt>,
}

/// The system's clock differs.
#[derive(Clone, Copy)]
enum Doubt {
    /// The system's clock has been ahead since this instant.
    Ahead(u64, Instant),
    Behind,
}

/// What is worth a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClockChange {
    JumpedAhead {
        by_ms: u64,
    },
    JumpedBack {
        by_ms: u64,
    },
    /// The system's clock has stayed where it jumped to, and is followed.
    Update {
        by_ms: u64,
    },
    /// Both clocks agree again.
    Agreed,
}

impl SlewedClock {
    pub(super) fn new(at: u64, base: Instant) -> Self {
        Self { at, base, doubt: None }
    }

    /// A time that is known to be ahead of the clock.
    pub(super) fn ahead_of_clock(at: u64, base: Instant) -> Self {
        Self { doubt: Some(Doubt::Behind), ..Self::new(at, base) }
    }

    /// The time now, where the system's clock says `system`.
    pub(super) fn read(&mut self, system: u64, now: Instant) -> (u64, Option<ClockChange>) {
        let own = self.own(now);
        let news = match system.abs_diff(own) {
            0..=STEP_MS => self.agree(system, now),
            by_ms if system > own => self.ahead(own, by_ms, now),
            by_ms => self.behind(own, by_ms, now),
        };
        (self.own(now), news)
    }

    fn own(&self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.base).as_millis();
        let passed = match self.doubt {
            Some(Doubt::Behind) => passed - passed / SLOWER,
            _ => passed,
        };
        self.at.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    fn agree(&mut self, system: u64, now: Instant) -> Option<ClockChange> {
        let news = self.doubt.map(|_| ClockChange::Agreed);
        *self = Self::new(system, now);
        news
    }

    fn ahead(&mut self, own: u64, by_ms: u64, now: Instant) -> Option<ClockChange> {
        match self.doubt {
            Some(Doubt::Ahead(before, since)) if before.abs_diff(by_ms) <= STEP_MS => {
                if now.saturating_duration_since(since) < HOLD {
                    return None;
                }
                *self = Self::new(own.saturating_add(by_ms), now);
                Some(ClockChange::Update { by_ms })
            }
            _ => {
                *self = Self { at: own, base: now, doubt: Some(Doubt::Ahead(by_ms, now)) };
                Some(ClockChange::JumpedAhead { by_ms })
            }
        }
    }

    fn behind(&mut self, own: u64, by_ms: u64, now: Instant) -> Option<ClockChange> {
        if matches!(self.doubt, Some(Doubt::Behind)) {
            return None;
        }
        *self = Self { at: own, base: now, doubt: Some(Doubt::Behind) };
        Some(ClockChange::JumpedBack { by_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    const START: u64 = 500_000 * HOUR;

    /// Both clocks of a machine.
    struct Machine {
        steady: SlewedClock,
        begun: Instant,
        passed: u64,
        /// How far the system's clock is from the truth, in milliseconds.
        wrong: i64,
    }

    impl Machine {
        fn new() -> Self {
            let begun = Instant::now();
            Self { steady: SlewedClock::new(START, begun), begun, passed: 0, wrong: 0 }
        }

        /// How much of heatd's time has passed since the start, after so much true time.
        fn after(&mut self, milliseconds: u64) -> (u64, Option<ClockChange>) {
            self.passed += milliseconds;
            let system = (START + self.passed).saturating_add_signed(self.wrong);
            let now = self.begun + Duration::from_millis(self.passed);
            let (time, news) = self.steady.read(system, now);
            (time - START, news)
        }

        fn jump(&mut self, hours: i64) {
            self.wrong += hours * HOUR as i64;
        }
    }

    #[test]
    fn a_clock_that_is_put_right_a_little_is_followed_without_a_word() {
        let mut machine = Machine::new();
        machine.wrong = 1_500;
        assert_eq!(machine.after(10_000), (11_500, None));
        machine.wrong = -400;
        assert_eq!(machine.after(10_000), (19_600, None));
    }

    #[test]
    fn a_jump_ahead_is_believed_after_a_minute_and_a_short_one_never_happened() {
        let mut machine = Machine::new();
        machine.jump(24);
        let by_ms = 24 * HOUR;
        assert_eq!(machine.after(1_000), (1_000, Some(ClockChange::JumpedAhead { by_ms })));
        assert_eq!(machine.after(59_000), (60_000, None));
        machine.jump(-24);
        assert_eq!(machine.after(1_000), (61_000, Some(ClockChange::Agreed)));
        machine.jump(24);
        assert_eq!(machine.after(1_000).0, 62_000);
        assert_eq!(machine.after(60_000), (by_ms + 122_000, Some(ClockChange::Update { by_ms })));
        assert_eq!(machine.after(1_000), (by_ms + 123_000, None));
    }

    #[test]
    fn another_jump_within_the_minute_begins_it_anew() {
        let mut machine = Machine::new();
        machine.jump(5);
        machine.after(1_000);
        machine.jump(-2);
        let by_ms = 3 * HOUR;
        assert_eq!(machine.after(50_000), (51_000, Some(ClockChange::JumpedAhead { by_ms })));
        assert_eq!(machine.after(50_000), (101_000, None));
        assert_eq!(machine.after(10_000), (by_ms + 111_000, Some(ClockChange::Update { by_ms })));
    }

    #[test]
    fn time_goes_on_when_the_clock_is_set_back_and_meets_it_again() {
        let mut machine = Machine::new();
        machine.jump(-2);
        let by_ms = 2 * HOUR;
        assert_eq!(machine.after(0), (0, Some(ClockChange::JumpedBack { by_ms })));
        // However often it is asked, it is slower by a twentieth and never stands still.
        let mut before = 0;
        for _ in 0..1_000 {
            let (time, news) = machine.after(20);
            assert_eq!((time - before, news), (19, None));
            before = time;
        }
        // 40 hours make up for two.
        let (time, _) = machine.after(39 * HOUR);
        assert!(time < 38 * HOUR, "{time}");
        let mut last = (time, None);
        while last.1.is_none() {
            last = machine.after(60_000);
        }
        assert_eq!(last.1, Some(ClockChange::Agreed));
        assert!(machine.passed.abs_diff(40 * HOUR) < HOUR / 20, "{}", machine.passed);
    }

    #[test]
    fn a_day_ahead_by_mistake_and_back_again_freezes_nothing() {
        let mut machine = Machine::new();
        machine.jump(24);
        machine.after(1_000);
        let (followed, _) = machine.after(60_000);
        machine.jump(-24);
        assert_eq!(
            machine.after(0),
            (followed, Some(ClockChange::JumpedBack { by_ms: 24 * HOUR }))
        );
        assert_eq!(machine.after(20_000).0, followed + 19_000);
    }
}
