//! How fast a slot may publish: an allowance that grows with the engine's time, so that a replay refuses what was refused.

use crate::contract::limits::Limits;

/// What is left of a slot's allowance, in thousandths of a message.
#[derive(Debug, Default)]
pub(crate) struct RateLimiter {
    left: u64,
    at: u64,
}

impl RateLimiter {
    /// Whether so many messages may leave at this time. Nothing is spent yet.
    pub(crate) fn fits(
        &mut self,
        now: u64,
        messages: usize,
        limits: &Limits,
    ) -> Result<(), String> {
        let (most, each) = (limits.messages_at_once, limits.messages_per_second);
        // Messages of a second are thousandths of a millisecond. A new slot begins with all that may go at once.
        let grown = now.saturating_sub(self.at).saturating_mul(each);
        self.left = self.left.saturating_add(grown).min(most.saturating_mul(1000));
        self.at = self.at.max(now);
        if thousandths(messages) > self.left {
            return Err(format!(
                "it publishes too fast: {most} messages may go at once, and {each} per second from then on"
            ));
        }
        Ok(())
    }

    /// The messages are taken.
    pub(crate) fn spend(&mut self, messages: usize) {
        self.left = self.left.saturating_sub(thousandths(messages));
    }
}

fn thousandths(messages: usize) -> u64 {
    (messages as u64).saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_spent_at_once_and_grows_with_time_up_to_its_full() {
        let limits = Limits { messages_at_once: 3, messages_per_second: 2, ..Limits::default() };
        let mut rate_limit = RateLimiter::default();
        let mut try_at = |now, messages| {
            let fits = rate_limit.fits(now, messages, &limits).is_ok();
            if fits {
                rate_limit.spend(messages);
            }
            fits
        };
        let start = 1_767_225_600_000;
        assert!(!try_at(start, 4), "more than may go at once");
        assert!(try_at(start, 3), "a refused call has spent nothing");
        assert!(!try_at(start, 1));
        assert!(!try_at(start + 499, 1));
        assert!(try_at(start + 500, 1));
        assert!(!try_at(start + 999, 1));
        assert!(try_at(start + 3_600_000, 3));
        assert!(!try_at(start + 3_600_000, 1), "rest does not pile up");
        assert!(!try_at(start, 1), "time that runs backwards gives nothing");
    }
}
