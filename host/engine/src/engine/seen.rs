//! Which events were taken in already: known by id, in memory, for some minutes.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How long an id is remembered, in milliseconds. Twitch repeats an event for at most 10 minutes.
pub(crate) const WINDOW_MS: u64 = 600_000;

/// The ids of the last minutes, as hashes: 128 bits, so that two ids are one only by an accident that does not happen.
#[derive(Default)]
pub(crate) struct Seen {
    known: HashSet<u128>,
    order: VecDeque<(u64, u128)>,
}

impl Seen {
    /// Remembers an id of a channel, and says whether it is new.
    pub(crate) fn insert(&mut self, now: u64, channel: &str, id: &str) -> bool {
        while self.order.front().is_some_and(|(at, _)| at + WINDOW_MS < now) {
            if let Some((_, oldest)) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
        let hash = (u128::from(half(0, channel, id)) << 64) | u128::from(half(1, channel, id));
        let new = self.known.insert(hash);
        if new {
            self.order.push_back((now, hash));
        }
        new
    }
}

fn half(which: u8, channel: &str, id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (which, channel, id).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_in_its_channel_until_it_is_forgotten() {
        let mut seen = Seen::default();
        assert!(seen.insert(0, "a", "1"));
        assert!(!seen.insert(WINDOW_MS, "a", "1"));
        assert!(seen.insert(WINDOW_MS, "b", "1"));
        assert!(seen.insert(WINDOW_MS + 1, "a", "1"));
    }
}
