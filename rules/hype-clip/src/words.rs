//! What people say most, in a few counters however many words there are.

use heat_rule::state::Stored;
use heat_rule::{ChatLine, item};

/// How many words and emotes are counted at once, each. What at least one of so many people says is among them at the end (Misra and Gries).
const COUNTERS: usize = 16;

/// A word has so many characters, without the signs around it.
const LENGTH: std::ops::RangeInclusive<usize> = 4..=25;

/// How many people must say it.
const LEAST: u64 = 2;

/// Words or emotes, and by how many people more than others they were said.
type Counters = Vec<(String, u64)>;

#[derive(Default)]
pub(crate) struct Words {
    emotes: Counters,
    words: Counters,
}

impl Words {
    /// Counts what a line has, each once.
    pub(crate) fn hear(&mut self, line: &ChatLine, words: bool) {
        let mut emotes: Vec<&str> = line.emotes.iter().map(|emote| emote.name.as_str()).collect();
        distinct(&mut emotes);
        for emote in &emotes {
            count(&mut self.emotes, emote);
        }
        if words {
            let plain = line.text.split_whitespace().filter(|word| !emotes.contains(word));
            let mut plain: Vec<String> = plain.filter_map(word).collect();
            distinct(&mut plain);
            for word in &plain {
                count(&mut self.words, word);
            }
        }
    }

    /// Halves all counts: what was said in the bucket before still counts a little, since an outburst has few words at its start.
    pub(crate) fn fade(&mut self) {
        for counters in [&mut self.emotes, &mut self.words] {
            counters.iter_mut().for_each(|(_, times)| *times /= 2);
            counters.retain(|(_, times)| *times > 0);
        }
    }

    /// The emote that most people said or, without one, the word.
    pub(crate) fn most(&self) -> Option<&str> {
        most(&self.emotes).or_else(|| most(&self.words))
    }
}

fn distinct<T: Ord>(list: &mut Vec<T>) {
    list.sort();
    list.dedup();
}

/// The word in lower case; none for commands, mentions, addresses, and what is too short to mean much.
fn word(text: &str) -> Option<String> {
    if text.starts_with(['!', '?', '@', '#', '/']) || text.contains("://") {
        return None;
    }
    let word = item::clean(text);
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let letters = word.chars().any(char::is_alphabetic) && !word.contains(char::is_control);
    (letters && LENGTH.contains(&word.chars().count())).then_some(word)
}

/// Counts one up, or where every counter is taken all others down.
fn count(counters: &mut Counters, name: &str) {
    if let Some((_, times)) = counters.iter_mut().find(|(other, _)| other == name) {
        *times += 1;
    } else if counters.len() < COUNTERS {
        counters.push((name.to_owned(), 1));
    } else {
        counters.iter_mut().for_each(|(_, times)| *times -= 1);
        counters.retain(|(_, times)| *times > 0);
    }
}

/// The greatest; of equals the first.
fn most(counters: &Counters) -> Option<&str> {
    let most = counters.iter().rev().max_by_key(|(_, times)| *times)?;
    (most.1 >= LEAST).then_some(&most.0)
}

impl Stored for Words {
    fn to_bytes(&self) -> Vec<u8> {
        (self.emotes.clone(), self.words.clone()).to_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (emotes, words) = Stored::from_bytes(bytes)?;
        Some(Self { emotes, words })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_say_outlives_what_few_say() {
        let mut counters = Counters::new();
        for round in 0..100 {
            count(&mut counters, "pog");
            (0..5).for_each(|few| count(&mut counters, &format!("{round} {few}")));
        }
        assert_eq!(most(&counters), Some("pog"));
        assert!(counters.len() <= COUNTERS);
    }

    #[test]
    fn words_are_what_means_something() {
        for (text, expected) in [
            ("Unbelievable!!", Some("unbelievable")),
            ("wow", None),
            ("!play", None),
            ("@ann", None),
            ("https://example.org", None),
            ("12345", None),
            ("(Größe)", Some("größe")),
            ("cafe\u{301}\u{200B}", Some("café")),
        ] {
            assert_eq!(word(text).as_deref(), expected, "{text}");
        }
    }
}
