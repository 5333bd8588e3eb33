//! Made-up chat, where there are no recordings: the same lines for the same seed, and the counts that they must lead to.
//!
//! The lines have what real ones have: regulars who write most of it, emotes with their places, emoji, `?fave`
//! commands, replies, `/me`, and the invisible character that some clients append to a repeated message.

mod expected;
pub(crate) mod random;

pub use expected::{Expected, Fave};

use crate::twitch::Line;
use random::Random;

const WORDS: [&str; 32] = [
    "the", "chat", "is", "so", "good", "today", "what", "a", "play", "again", "no", "way", "love",
    "this", "song", "who", "asked", "he", "did", "it", "clip", "that", "wait", "why", "lol", "gg",
    "first", "time", "here", "pie", "nice", "one",
];
const EMOTES: [(&str, &str); 6] = [
    ("Kappa", "25"),
    ("LUL", "425618"),
    ("PogChamp", "305954156"),
    ("BibleThump", "86"),
    ("NotLikeThis", "58765"),
    (":)", "1"),
];
const EMOJI: [&str; 6] = ["😂", "🔥", "❤️", "👨‍👩‍👧", "🇩🇪", "é"];
const ITEMS: [&str; 6] = ["pie", "blue monday", "take on me", "Kappa", "song #2", "🔥 track"];
const USERS: u64 = 200;
/// When the made-up chat begins, unless said otherwise.
const BEGINNING: u64 = 1_760_000_000_000;
/// What some clients append so that Twitch takes a message twice.
const INVISIBLE: &str = " \u{E0000}";

/// An endless iterator of lines that keeps account of what it has made.
#[derive(Debug, Clone)]
pub struct Generator {
    random: Random,
    channel: String,
    now: u64,
    /// The message before, for replies.
    before: Option<(String, String, String)>,
    expected: Expected,
}

impl Generator {
    /// A chat for a channel. Message ids come from the seed too: give a store that is kept another seed each time.
    pub fn new(seed: u64, channel: &str) -> Self {
        let channel = channel.trim_start_matches('#').to_owned();
        let expected = Expected::default();
        Self { random: Random::new(seed), channel, now: BEGINNING, before: None, expected }
    }

    /// Lets the time stamps begin here, in milliseconds since 1970.
    pub fn starting_at(mut self, milliseconds: u64) -> Self {
        self.now = milliseconds;
        self
    }

    /// The counts of all lines made so far.
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// So many lines, ready to be sent.
    pub fn lines(&mut self, count: usize) -> Vec<String> {
        self.take(count).map(|line| line.to_string()).collect()
    }

    fn compose(&mut self) -> Line {
        self.now += 20 + self.random.below(400);
        let login = self.login();
        let text = self.text();
        let id = self.random.uuid();
        self.expected.note(&id, &login, &text);
        let sent = if self.random.one_in(20) { format!("{text}{INVISIBLE}") } else { text.clone() };
        let mut line = Line::chat(&self.channel, &login, &sent)
            .id(&id)
            .at(self.now)
            .name(&capitalised(&login));
        line = self.dressed(line, &login);
        line = self.addressed(line);
        self.before = Some((login, id, text));
        EMOTES.iter().fold(line, |line, (name, id)| line.emote(id, name))
    }

    /// Regulars write more than others: the smaller of two draws.
    fn login(&mut self) -> String {
        let number = self.random.below(USERS).min(self.random.below(USERS));
        format!("chatter_{number}")
    }

    fn text(&mut self) -> String {
        if self.random.one_in(12) {
            return if self.random.one_in(8) {
                "?fave".to_owned()
            } else {
                format!("?fave {}", self.random.pick(&ITEMS))
            };
        }
        let words = 1 + self.random.below(9);
        let text: Vec<&str> = (0..words).map(|_| self.word()).collect();
        text.join(" ")
    }

    fn word(&mut self) -> &'static str {
        match self.random.below(10) {
            0 | 1 => self.random.pick(&EMOTES).0,
            2 => self.random.pick(&EMOJI),
            _ => self.random.pick(&WORDS),
        }
    }

    /// The badges that a person always has.
    fn dressed(&self, line: Line, login: &str) -> Line {
        match login.len() + login.bytes().map(usize::from).sum::<usize>() % 10 {
            number if number % 7 == 0 => line.badge("moderator/1"),
            number if number % 3 == 0 => line.badge("subscriber/12"),
            _ => line,
        }
    }

    /// Some lines are replies or actions, but no commands: Twitch puts a mention before a reply.
    fn addressed(&mut self, line: Line) -> Line {
        let draw = self.random.below(25);
        match &self.before {
            Some((login, id, text)) if draw == 0 => line.reply_to(login, id, text),
            _ if draw == 1 => line.action(),
            _ => line,
        }
    }
}

impl Iterator for Generator {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        Some(self.compose())
    }
}

fn is_emote(word: &str) -> bool {
    EMOTES.iter().any(|(name, _)| *name == word)
}

fn capitalised(login: &str) -> String {
    let mut characters = login.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::Judge;

    #[test]
    fn a_seed_always_makes_the_same_lines() {
        assert_eq!(Generator::new(7, "pie").lines(50), Generator::new(7, "pie").lines(50));
        assert_ne!(Generator::new(7, "pie").lines(50), Generator::new(8, "pie").lines(50));
    }

    #[test]
    fn the_expected_counts_are_those_that_an_independent_reader_finds() {
        for seed in 0..4 {
            let mut generator = Generator::new(seed, "pie");
            let judge = Judge::of(&generator.lines(2_000));
            let expected = generator.expected();
            for word in ["?fave", "Kappa", "pie", ":)", "😂", "nobody-says-this"] {
                assert_eq!(judge.word(word), expected.word(word), "{word} of seed {seed}");
                assert_eq!(judge.emote(word), expected.emote(word), "{word} of seed {seed}");
            }
            let (word, count) = judge.most_common_word();
            assert_eq!(count, expected.word(&word));
            assert_eq!(judge.messages(), expected.messages);
        }
    }

    #[test]
    fn there_is_something_of_everything() {
        let mut generator = Generator::new(1, "pie");
        let lines = generator.lines(2_000);
        for part in [
            "\u{E0000}",
            "\u{1}ACTION ",
            "reply-parent-msg-id=",
            "moderator/1",
            "subscriber/12",
            "😂",
        ] {
            assert!(lines.iter().any(|line| line.contains(part)), "{part:?}");
        }
        assert!(generator.expected().users.len() > 100);
        assert!(generator.expected().faves.iter().any(|fave| fave.item.is_empty()));
    }
}
