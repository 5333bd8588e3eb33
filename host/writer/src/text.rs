//! Makes any text fit for a text source: one line, no invisible controls, limited length. Pure.

use std::str::FromStr;

/// The most characters a file is ever given. OBS lays the whole text out on every change.
const MAX_CHARS: usize = 1000;

/// A text from the settings that is known to show something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line(String);

impl Line {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Line {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        let line = one_line(raw);
        if line.is_empty() {
            return Err("this text shows nothing, and OBS keeps no place for an empty text; \
                 write at least one visible character"
                .to_owned());
        }
        Ok(Self(line))
    }
}

/// The text as one line: line breaks and tabs become one space, other control characters vanish, the ends are trimmed,
/// and what is too long ends with an ellipsis. The result may be empty.
pub(crate) fn one_line(raw: &str) -> String {
    let mut line = String::with_capacity(raw.len().min(4 * MAX_CHARS));
    let mut chars = 0;
    for character in raw.trim_start().chars() {
        let Some(character) = visible(character, line.ends_with(' ')) else {
            continue;
        };
        if chars == MAX_CHARS {
            line.pop();
            line.push('…');
            break;
        }
        line.push(character);
        chars += 1;
    }
    line.trim().to_owned()
}

/// What stands for one character of the raw text; `None` when nothing does.
fn visible(character: char, after_space: bool) -> Option<char> {
    match character {
        '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
            (!after_space).then_some(' ')
        }
        // Overrides and isolates would turn the streamer's own label around; a byte order mark would be drawn by
        // FreeType sources; a NUL cuts the text in OBS.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => None,
        _ if character.is_control() => None,
        _ => Some(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: &str) {
        assert_eq!(one_line(raw), expected);
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        check("🔥 HEAT LEVEL: 7", "🔥 HEAT LEVEL: 7");
        check("two  spaces are layout", "two  spaces are layout");
        check("👩‍🚀 joined emoji", "👩‍🚀 joined emoji");
    }

    #[test]
    fn line_breaks_and_tabs_become_one_space() {
        check("a\r\nb\t\tc", "a b c");
        check("\n\n7\n", "7");
        check("a\u{2028}b\u{85}c", "a b c");
    }

    #[test]
    fn control_characters_vanish() {
        check("a\0b\u{1b}[31mc\u{7f}", "ab[31mc");
        check("\u{feff}7", "7");
    }

    #[test]
    fn text_cannot_be_turned_around() {
        check("a\u{202e}b\u{2066}c\u{2069}", "abc");
    }

    #[test]
    fn invisible_text_is_empty() {
        check(" \n\t\u{202e} ", "");
        assert!("\n".parse::<Line>().is_err());
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let cut = one_line(&"é".repeat(5000));
        assert_eq!(cut.chars().count(), MAX_CHARS);
        assert!(cut.ends_with("é…"));
        let whole = "é".repeat(MAX_CHARS);
        assert_eq!(one_line(&whole), whole);
    }
}
