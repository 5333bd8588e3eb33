//! What Twitch itself has said last of each stream. Only a change of its word is news: what a moderator has said meanwhile holds until then.

use std::collections::HashMap;

use heat_engine::Stream;
use parking_lot::Mutex;

/// For how long the word of EventSub stands against that of Get Streams, in milliseconds: the list runs behind by a minute or two.
const BEHIND: u64 = 180_000;

/// Twitch's last word on each channel's stream.
#[derive(Default)]
pub(crate) struct LiveWords(Mutex<HashMap<String, Word>>);

#[derive(Clone, Copy)]
struct Word {
    is_live: bool,
    /// When EventSub has said so, in milliseconds since 1970; 0 when it has not.
    happened: u64,
}

impl LiveWords {
    /// EventSub says that a stream has started or ended, as it happens. Returns whether that is another word than Twitch's last.
    pub(crate) fn happens(&self, now: u64, channel: &str, is_live: bool) -> bool {
        let word = Word { is_live, happened: now };
        let before = self.0.lock().insert(channel.to_owned(), word);
        before.is_none_or(|before| before.is_live != is_live)
    }

    /// Get Streams says how a stream is. `known`: how it is for heatd; `started`: since when it is live, in milliseconds since 1970. Returns whether that is news.
    pub(crate) fn is(
        &self,
        now: u64,
        channel: &str,
        is_live: bool,
        started: Option<u64>,
        known: Option<Stream>,
    ) -> bool {
        let mut words = self.0.lock();
        let before = words.get(channel).copied();
        match before {
            Some(before) if before.is_live == is_live => return false,
            Some(before) if before.happened > 0 && now < before.happened + BEHIND => return false,
            _ => {}
        }
        words.insert(channel.to_owned(), Word { is_live, happened: 0 });
        // The first word since heatd runs: a stream that somebody has ended since it began stays ended.
        before.is_some()
            || match known {
                None => true,
                Some(Stream { live: true, .. }) => !is_live,
                Some(Stream { live: false, since }) => {
                    is_live && started.is_none_or(|started| started > since)
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_of_its_word_is_news() {
        let words = LiveWords::default();
        assert!(words.is(1, "a", true, Some(5), None) && !words.is(2, "a", true, Some(5), None));
        // A moderator ends it: Twitch says what it has said before.
        let ended = Some(Stream { live: false, since: 10 });
        assert!(!words.is(3, "a", true, Some(5), ended));
        assert!(words.happens(4, "a", false) && !words.happens(5, "a", false));
    }

    #[test]
    fn the_list_runs_behind_what_happens() {
        let words = LiveWords::default();
        assert!(words.happens(1_000, "a", true));
        // The stream is not in the list yet.
        assert!(!words.is(60_000, "a", false, None, None));
        assert!(!words.is(120_000, "a", true, Some(900), None));
        // It has ended, and EventSub was away.
        assert!(words.is(1_000 + BEHIND, "a", false, None, None));
        assert!(words.is(400_000, "a", true, Some(390_000), None));
    }

    #[test]
    fn after_a_start_the_first_word_counts_but_for_a_stream_that_somebody_has_ended() {
        let ended = Some(Stream { live: false, since: 10 });
        let live = Some(Stream { live: true, since: 10 });
        let first =
            |is_live, started, known| LiveWords::default().is(99, "a", is_live, started, known);
        assert!(first(true, Some(20), ended) && !first(true, Some(5), ended));
        assert!(first(false, None, live) && !first(true, Some(5), live));
        assert!(!first(false, None, ended) && first(false, None, None));
    }
}
