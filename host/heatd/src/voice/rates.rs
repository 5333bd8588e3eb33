//! How many lines an account may say. Pure. Facts: dev.twitch.tv/docs/chat, "Rate limits".
//!
//! In 30 seconds Twitch takes 20 lines of an account, and 100 where it is the owner or a moderator; elsewhere one a second in each channel. Whoever says more is
//! not heard for half an hour, so there is a margin.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// The time in which lines are counted, with a margin for the way to Twitch.
const WINDOW: Duration = Duration::from_secs(31);

const AT_HOME: usize = 100;
const ELSEWHERE: usize = 20;

/// The time between two lines in one channel that is not the account's own.
const APART: Duration = Duration::from_millis(1_100);

/// The lines that an account has said lately.
#[derive(Default)]
pub(super) struct Rates {
    said: VecDeque<Instant>,
    last: HashMap<String, Instant>,
}

impl Rates {
    /// When the next line may be said in a channel; none: now.
    pub(super) fn wait(&mut self, now: Instant, channel: &str, is_home: bool) -> Option<Duration> {
        while self.said.front().is_some_and(|at| now.duration_since(*at) >= WINDOW) {
            self.said.pop_front();
        }
        let most = if is_home { AT_HOME } else { ELSEWHERE };
        // When as many have left the window as are too many.
        let full = self.said.len().checked_sub(most).and_then(|place| self.said.get(place));
        let full = full.map(|at| *at + WINDOW);
        let last = self.last.get(channel).filter(|_| !is_home).map(|at| *at + APART);
        let free = full.into_iter().chain(last).max()?;
        Some(free.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// A line is said.
    pub(super) fn said(&mut self, now: Instant, channel: &str) {
        self.said.push_back(now);
        self.last.retain(|_, at| now.duration_since(*at) < WINDOW);
        self.last.insert(channel.to_owned(), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many lines get out in this time, as fast as it goes.
    fn lines(seconds: u64, channels: usize, is_home: bool) -> usize {
        let (mut rates, begin) = (Rates::default(), Instant::now());
        let (mut now, mut count) = (begin, 0);
        while now < begin + Duration::from_secs(seconds) {
            let channel = format!("c{}", count % channels);
            match rates.wait(now, &channel, is_home) {
                None => {
                    rates.said(now, &channel);
                    count += 1;
                }
                Some(wait) => now += wait,
            }
        }
        count
    }

    #[test]
    fn no_more_lines_get_out_than_twitch_takes() {
        assert_eq!((lines(30, 1, true), lines(62, 1, true)), (100, 200));
        assert_eq!((lines(30, 25, false), lines(62, 25, false)), (20, 40));
        // One channel of somebody else: one a second.
        assert_eq!(lines(10, 1, false), 10);
    }
}
