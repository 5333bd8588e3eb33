//! How fast a slot may publish, change its state, and write to the log. All go by the engine's time, so that a replay refuses what was
//! refused.

use crate::contract::Effect;
use crate::contract::effects::messages;
use crate::contract::limits::Limits;

/// How often it is told that lines of a rule were left out, in milliseconds.
const TELL_MS: u64 = 60_000;

/// What is left of a slot's allowances.
#[derive(Debug, Default)]
pub(crate) struct RateLimiter {
    messages: TokenBucket,
    written: TokenBucket,
    lines: TokenBucket,
    /// Lines for the log that were left out and not told of.
    left_out: u64,
    told: Option<u64>,
}

/// What is left of one, in thousandths, and when that was. None: all that may go at once.
#[derive(Debug, Default)]
struct TokenBucket(Option<(u64, u64)>);

impl TokenBucket {
    /// What may be spent at this time, in milliseconds: the thousandths that a millisecond adds are what a second adds.
    fn at(&mut self, now: u64, most: u64, each_second: u64) -> u64 {
        let full = most.saturating_mul(1000);
        let (left, at) = self.0.unwrap_or((full, now));
        let grown = now.saturating_sub(at).saturating_mul(each_second);
        let left = left.saturating_add(grown).min(full);
        self.0 = Some((left, at.max(now)));
        left / 1000
    }

    fn spend(&mut self, spent: u64) {
        if let Some((left, _)) = &mut self.0 {
            *left = left.saturating_sub(spent.saturating_mul(1000));
        }
    }
}

impl RateLimiter {
    /// Whether these effects may be taken at this time. Nothing is spent yet.
    pub(crate) fn fits(
        &mut self,
        now: u64,
        effects: &[Effect],
        limits: &Limits,
    ) -> Result<(), String> {
        let (most, each) = (limits.messages_at_once, limits.messages_per_second);
        if messages(effects) as u64 > self.messages.at(now, most, each) {
            return Err(format!(
                "it publishes too fast: {most} messages may go at once, and {each} per second from then on"
            ));
        }
        let (most, each) = (limits.written_at_once, limits.written_per_second);
        if written(effects) > self.written.at(now, most, each) {
            return Err(format!(
                "it changes its state too fast: {most} bytes may be written at once, and {each} per second from then on"
            ));
        }
        Ok(())
    }

    /// The effects are taken.
    pub(crate) fn spend(&mut self, effects: &[Effect]) {
        self.messages.spend(messages(effects) as u64);
        self.written.spend(written(effects));
    }

    /// How many lines a call may write to the log.
    pub(crate) fn lines(&mut self, now: u64, limits: &Limits) -> u32 {
        let left = self.lines.at(now, limits.lines_at_once, limits.lines_per_second);
        u32::try_from(left).unwrap_or(u32::MAX).min(limits.log_lines)
    }

    /// A call has written so many lines, and so many were left out. How many have been, when it is time to tell.
    pub(crate) fn wrote(&mut self, now: u64, written: u32, left_out: u32) -> Option<u64> {
        self.lines.spend(u64::from(written));
        self.left_out += u64::from(left_out);
        if self.left_out == 0 || self.told.is_some_and(|told| now < told + TELL_MS) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.left_out))
    }
}

/// Bytes of keys and values that the effects would write.
fn written(effects: &[Effect]) -> u64 {
    let bytes = effects.iter().map(|effect| match effect {
        Effect::Put(entry) => entry.key.len() + entry.value.len(),
        Effect::Delete(key) => key.len(),
        _ => 0,
    });
    bytes.sum::<usize>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Delivery, Entry, Message};

    const START: u64 = 1_767_225_600_000;

    fn published(messages: usize) -> Vec<Effect> {
        let message =
            Message { topic: "a".to_owned(), payload: Vec::new(), delivery: Delivery::AtMostOnce };
        vec![Effect::Publish(message); messages]
    }

    #[test]
    fn an_allowance_is_spent_at_once_and_grows_with_time_up_to_its_full() {
        let limits = Limits { messages_at_once: 3, messages_per_second: 2, ..Limits::default() };
        let mut rate_limit = RateLimiter::default();
        let mut try_at = |now, messages| {
            let effects = published(messages);
            let fits = rate_limit.fits(now, &effects, &limits).is_ok();
            if fits {
                rate_limit.spend(&effects);
            }
            fits
        };
        assert!(!try_at(START, 4), "more than may go at once");
        assert!(try_at(START, 3), "a refused call has spent nothing");
        assert!(!try_at(START, 1));
        assert!(!try_at(START + 499, 1));
        assert!(try_at(START + 500, 1));
        assert!(!try_at(START + 999, 1));
        assert!(try_at(START + 3_600_000, 3));
        assert!(!try_at(START + 3_600_000, 1), "rest does not pile up");
        assert!(!try_at(START, 1), "time that runs backwards gives nothing");
    }

    #[test]
    fn what_is_written_to_the_state_has_an_allowance_of_its_own() {
        let limits = Limits { written_at_once: 100, written_per_second: 10, ..Limits::default() };
        let put = |bytes: usize| {
            vec![Effect::Put(Entry { key: "key".to_owned(), value: vec![0; bytes - 3] })]
        };
        let mut rate_limit = RateLimiter::default();
        assert!(
            rate_limit.fits(START, &put(101), &limits).is_err_and(|why| why.contains("too fast"))
        );
        assert!(rate_limit.fits(START, &put(100), &limits).is_ok());
        rate_limit.spend(&put(100));
        assert!(rate_limit.fits(START + 900, &put(10), &limits).is_err());
        assert!(rate_limit.fits(START + 1000, &put(10), &limits).is_ok());
        assert!(
            rate_limit.fits(START, &published(1), &limits).is_ok(),
            "messages are counted apart"
        );
    }

    #[test]
    fn lines_that_are_left_out_are_told_of_once_a_minute() {
        let limits = Limits { lines_at_once: 30, lines_per_second: 1, ..Limits::default() };
        let mut rate_limit = RateLimiter::default();
        assert_eq!(rate_limit.lines(START, &limits), limits.log_lines);
        assert_eq!(rate_limit.wrote(START, 20, 0), None);
        assert_eq!(rate_limit.lines(START, &limits), 10);
        assert_eq!(rate_limit.wrote(START, 10, 7), Some(7));
        assert_eq!(rate_limit.lines(START + 999, &limits), 0);
        assert_eq!(rate_limit.wrote(START + 999, 0, 5), None);
        assert_eq!(rate_limit.lines(START + 2_000, &limits), 2);
        assert_eq!(rate_limit.wrote(START + TELL_MS, 1, 3), Some(8));
        assert_eq!(rate_limit.wrote(START + 2 * TELL_MS, 1, 0), None);
    }
}
