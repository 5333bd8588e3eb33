//! How much a line counts: whoever laughs or asks for a clip counts more, who greets or answers a question less, and a command nothing.
//!
//! The figures were tuned on recorded streams in which people had marked what stood out, and tried on others: docs/moments.md.

use crate::window::ONE;

const CLIP: u8 = 30;
const LAUGH: u8 = 20;
const ASIDE: u8 = 3;

/// How many words of a line say whether it is a greeting.
const FIRST: usize = 3;

/// Parts of emotes' names that are shorter than this stand at the end of the name: "hi" is in many.
const SHORT: usize = 4;

/// What people write who ask for a clip.
pub(crate) const CLIPS: &[&str] = &["clip"];

/// What people write who laugh.
pub(crate) const LAUGHS: &[&str] = &[
    "haha", "hehe", "jaja", "lol", "lul", "lmao", "lmfao", "rofl", "kek", "xd", "icant", "😂",
    "🤣", "laugh", "joy",
];

/// What people write to each other, and not about the stream.
pub(crate) const ASIDES: &[&str] = &[
    "hi",
    "hello",
    "hey",
    "hallo",
    "hai",
    "welcome",
    "bye",
    "ciao",
    "night",
    "goodnight",
    "gn",
    "thanks",
    "thank",
    "danke",
    "gg",
    "raid",
    "wave",
    "hug",
    "heart",
    "love",
    "pat",
    "cheer",
    "dance",
    "vibe",
    "jam",
];

/// What lines are told by, in lower case.
pub(crate) struct Reactions {
    pub(crate) clips: Vec<String>,
    pub(crate) laughs: Vec<String>,
    pub(crate) asides: Vec<String>,
}

impl Reactions {
    /// What whoever writes this text with these emotes counts, in tenths. None: it is an order to a bot.
    pub(crate) fn weight<'a>(
        &self,
        text: &str,
        emotes: impl Iterator<Item = &'a str>,
    ) -> Option<u8> {
        if text.trim_start().starts_with('!') {
            return None;
        }
        let words: Vec<String> = text.split_whitespace().map(plain).collect();
        let emotes: Vec<String> = emotes.map(str::to_lowercase).collect();
        if words.iter().any(|word| self.clips.contains(word)) {
            return Some(CLIP);
        }
        let laughs = |laugh: &String| {
            words.iter().any(|word| word.starts_with(laugh.as_str()))
                || emotes.iter().any(|emote| emote.contains(laugh.as_str()))
        };
        if self.laughs.iter().any(laughs) {
            return Some(LAUGH);
        }
        let greets = |aside: &String| {
            words.iter().take(FIRST).any(|word| word == aside)
                || emotes.iter().any(|emote| has(emote, aside))
        };
        let is_number =
            |word: &String| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
        let is_aside = self.asides.iter().any(greets) || words.iter().all(is_number);
        Some(if is_aside { ASIDE } else { ONE })
    }
}

/// The word without the signs around it.
fn plain(word: &str) -> String {
    word.trim_matches(['.', ',', '!', '?', '~', '*', ':']).to_lowercase()
}

fn has(emote: &str, part: &str) -> bool {
    if part.chars().count() < SHORT { emote.ends_with(part) } else { emote.contains(part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laughing_counts_twice_greeting_little_and_commands_nothing() {
        let owned = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
        let reactions =
            Reactions { clips: owned(CLIPS), laughs: owned(LAUGHS), asides: owned(ASIDES) };
        for (text, emotes, weight) in [
            ("what is this", &[][..], Some(ONE)),
            ("CLIP!!", &[], Some(CLIP)),
            ("Hahahaha", &[], Some(LAUGH)),
            ("seasideLUL", &["seasideLUL"], Some(LAUGH)),
            ("oh, hi everybody", &[], Some(ASIDE)),
            ("this", &[], Some(ONE)),
            ("fishWave", &["fishWave"], Some(ASIDE)),
            ("Chips", &["Chips"], Some(ONE)),
            ("2", &[], Some(ASIDE)),
            ("???", &[], Some(ONE)),
            ("!song", &[], None),
        ] {
            assert_eq!(reactions.weight(text, emotes.iter().copied()), weight, "{text}");
        }
    }
}
