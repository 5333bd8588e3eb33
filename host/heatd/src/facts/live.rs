//! What Twitch itself has said last of each stream. Only a change of its word is news: what a moderator has said meanwhile holds until then.

use std::collections::HashMap;

use heat_engine::Stream;
use parking_lot::Mutex;

/// Twitch's last word on each channel's stream.
#[derive(Default)]
pub(crate) struct LiveWords(Mutex<HashMap<String, bool>>);

impl LiveWords {
    /// Twitch says that a stream has started or ended, when that happens. Returns whether that is another word than its last.
    pub(crate) fn happens(&self, channel: &str, is_live: bool) -> bool {
        self.0.lock().insert(channel.to_owned(), is_live) != Some(is_live)
    }

    /// Twitch says how a stream is. `known`: how it is for heatd; `started`: since when it is live, in milliseconds since 1970. Returns whether that is news.
    pub(crate) fn is(
        &self,
        channel: &str,
        is_live: bool,
        started: Option<u64>,
        known: Option<Stream>,
    ) -> bool {
        match self.0.lock().insert(channel.to_owned(), is_live) {
            Some(before) => before != is_live,
            // The first word since heatd runs. A stream that somebody has ended since it began stays ended.
            None => match known {
                None => true,
                Some(Stream { live: true, .. }) => !is_live,
                Some(Stream { live: false, since }) => {
                    is_live && started.is_none_or(|started| started > since)
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_of_its_word_is_news() {
        let words = LiveWords::default();
        assert!(words.is("a", true, Some(5), None) && !words.is("a", true, Some(5), None));
        // A moderator ends it: Twitch says what it has said before.
        let ended = Some(Stream { live: false, since: 10 });
        assert!(!words.is("a", true, Some(5), ended));
        assert!(words.happens("a", false) && !words.happens("a", false));
        assert!(words.is("a", true, Some(20), ended));
    }

    #[test]
    fn after_a_start_the_first_word_counts_but_for_a_stream_that_somebody_has_ended() {
        let ended = Some(Stream { live: false, since: 10 });
        let live = Some(Stream { live: true, since: 10 });
        let first = |is_live, started, known| LiveWords::default().is("a", is_live, started, known);
        assert!(first(true, Some(20), ended) && !first(true, Some(5), ended));
        assert!(first(false, None, live) && !first(true, Some(5), live));
        assert!(!first(false, None, ended) && first(false, None, None));
    }
}
