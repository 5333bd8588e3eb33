//! What the embedded broker refuses: counted, and said in the log once in a while, whatever clients send.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::warn;

use crate::metrics::{Metrics, Refused};

/// How long a kind of refusal is not said again.
const EVERY: Duration = Duration::from_secs(10);

/// How much of a text that a client sent is repeated, in characters.
const LONGEST: usize = 80;

/// What is wrong, for people.
fn why(kind: Refused) -> &'static str {
    match kind {
        Refused::Login => "unknown user or wrong password",
        Refused::LastWill => "its last will is not allowed",
        Refused::ClientId => "its client id is too long, or another user has it",
        Refused::Clients => "so many clients of this user are connected already",
        Refused::Strangers => {
            "too many connections that do not say who they are; the oldest is closed"
        }
        Refused::Silence => "it does not say who it is",
        Refused::Packet => "it sends what is no MQTT, or what other clients could not read",
        Refused::Topic => "its topic is too long or has too many levels",
        Refused::Write => "it may not write to this topic",
        Refused::Read => "it may not read this topic",
        Refused::Subscriptions => "this user has so many subscriptions already",
        Refused::Retained => "this user has so many retained messages already",
        Refused::Waiting => "more messages wait for it than it may have; they are dropped",
        Refused::Reader => "it does not read what it is sent; it is disconnected",
    }
}

/// When each kind was said last, and how many came since.
pub(super) struct Refusals {
    said: Mutex<BTreeMap<Refused, (Instant, u64)>>,
    metrics: Metrics,
}

impl Refusals {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { said: Mutex::default(), metrics }
    }

    /// Something of `user` was refused. `what` is the topic, the client id or the address that it is about.
    pub(super) fn note(&self, kind: Refused, user: impl Display, what: impl Display) {
        self.metrics.broker_refused(kind);
        let Some(times) = self.say(kind, Instant::now()) else { return };
        let (user, what) = (shortened(user), shortened(what));
        let why = why(kind);
        warn!(why, user, about = what, times, "the embedded broker refuses a client");
    }

    /// How many times this kind came since it was said last, if it is to be said now.
    fn say(&self, kind: Refused, now: Instant) -> Option<u64> {
        let mut said = self.said.lock();
        match said.get_mut(&kind) {
            Some((at, times)) if now.duration_since(*at) < EVERY => {
                *times += 1;
                None
            }
            last => {
                let times = last.map_or(0, |(_, times)| *times);
                said.insert(kind, (now, 0));
                Some(times + 1)
            }
        }
    }
}

fn shortened(text: impl Display) -> String {
    text.to_string().chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_one_line_with_their_number() {
        let refusals = Refusals::new(Metrics::new(0, 0));
        let start = Instant::now();
        assert_eq!(refusals.say(Refused::Write, start), Some(1));
        for _ in 0..1000 {
            assert_eq!(refusals.say(Refused::Write, start), None);
        }
        assert_eq!(refusals.say(Refused::Read, start), Some(1));
        assert_eq!(refusals.say(Refused::Write, start + EVERY), Some(1001));
        assert_eq!(refusals.say(Refused::Write, start + 2 * EVERY), Some(1));
    }
}
