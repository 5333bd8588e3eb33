//! How people type: a phone sets a space behind the sign of a command, an input method writes full-width letters, a client appends what nobody
//! sees, and one program makes `é` of one code point and another of two.
//!
//! A command is compared without regard to any of that; what is counted is kept in one form (NFC), so that what looks the same is the same.
//! Nearly every line is plain ASCII, for which none of this allocates or looks anything up.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Longer than the sign of any command, in bytes: `!!`, or a full-width one.
const LONGEST_SIGN: usize = 12;

/// The text in the form in which it is counted and compared (Unicode's NFC).
pub fn composed(text: &str) -> Cow<'_, str> {
    let is_composed = text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes;
    if is_composed { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// What is seen of a word, in the form in which it is compared with others.
pub(crate) fn seen(word: &str) -> Cow<'_, str> {
    match word.is_ascii() {
        true => Cow::Borrowed(word),
        false => Cow::Owned(word.chars().filter(|sign| !is_invisible(*sign)).nfc().collect()),
    }
}

/// A command in the form that [`Opening::after`] compares with: a setting or an interest is brought into it once.
pub fn command_word(written: &str) -> String {
    folded(written).collect()
}

/// What follows a command of one or more words at the beginning of a line, without white space at its start. None: the line does not begin so.
pub fn after_command<'a>(text: &'a str, command: &str) -> Option<&'a str> {
    let mut words = command.split_whitespace();
    let mut rest = Opening::of(text).after(&as_command(words.next()?))?;
    for word in words {
        let (typed, behind) = first_word(rest);
        if !is_same(typed, &as_command(word)) {
            return None;
        }
        rest = behind;
    }
    Some(rest.trim_start())
}

/// As [`command_word`], without a copy of what is plain already.
fn as_command(word: &str) -> Cow<'_, str> {
    let is_it = is_plain(word) && !word.bytes().any(|byte| byte.is_ascii_uppercase());
    if is_it { Cow::Borrowed(word) } else { Cow::Owned(command_word(word)) }
}

/// The beginning of a line, which commands are held against.
pub(crate) struct Opening<'a> {
    word: &'a str,
    rest: &'a str,
}

impl<'a> Opening<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let (mut word, mut rest) = first_word(text);
        while !rest.is_empty() && word.chars().all(is_invisible) {
            (word, rest) = first_word(rest);
        }
        Self { word, rest }
    }

    /// What stands behind a command, which [`command_word`] has made. None: the line does not begin with it.
    pub(crate) fn after(&self, command: &str) -> Option<&'a str> {
        if is_same(self.word, command) {
            return Some(self.rest);
        }
        let name = self.behind_sign(command)?;
        let (typed, behind) = first_word(self.rest);
        is_same(typed, name).then_some(behind)
    }

    /// The command without its sign, where the first word is that sign alone.
    fn behind_sign<'c>(&self, command: &'c str) -> Option<&'c str> {
        if self.word.len() > LONGEST_SIGN || self.word.contains(char::is_alphanumeric) {
            return None;
        }
        let sign = as_command(self.word);
        let name = command.strip_prefix(&*sign)?;
        (!sign.is_empty() && !name.is_empty()).then_some(name)
    }
}

/// The first word, and what stands behind it.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

/// Whether a word was meant as this command. It stops at the first letter that differs.
fn is_same(typed: &str, command: &str) -> bool {
    match is_plain(typed) {
        true => typed.eq_ignore_ascii_case(command),
        false => folded(typed).eq(command.chars()),
    }
}

/// Whether every byte is a sign that is seen, and stands for itself.
fn is_plain(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What is seen of it, full-width letters as plain ones (NFKC), in lower case.
fn folded(word: &str) -> impl Iterator<Item = char> {
    word.chars().filter(|sign| !is_invisible(*sign)).nfkc().flat_map(char::to_lowercase)
}

/// Code points that show nothing by themselves: Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt of 16.0), control characters,
/// and the empty sign of Braille.
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{AD}'
                | '\u{34F}'
                | '\u{61C}'
                | '\u{115F}'..='\u{1160}'
                | '\u{17B4}'..='\u{17B5}'
                | '\u{180B}'..='\u{180F}'
                | '\u{200B}'..='\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFB}'
                | '\u{1BCA0}'..='\u{1BCA3}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments<'a>(text: &'a str, command: &str) -> Option<&'a str> {
        Opening::of(text).after(&command_word(command)).map(str::trim)
    }

    #[test]
    fn a_command_is_known_however_it_was_typed() {
        for text in [
            "?fave pie",
            "  ?FAVE \t pie ",
            "?fave\u{3000}pie",
            "?fave\u{A0}pie",
            "? fave pie",
            "?  Fave  pie",
            "？fave pie",
            "？　ｆａｖｅ　pie",
            "?ｆａｖｅ pie",
            "﹖fave pie",
            "?𝐟𝐚𝐯𝐞 pie",
            "\u{200B}?fave pie",
            "\u{200E}\u{202A} ?fave pie",
            "\u{FEFF}?fave pie",
            "\u{7}?fave pie",
            "?\u{200B} fave pie",
            "?fa\u{AD}ve\u{200B} pie",
            "?fave\u{FE0F} pie",
        ] {
            assert_eq!(arguments(text, "?fave"), Some("pie"), "{text:?}");
        }
        for text in ["?fave", "？fave", "? fave\u{200B}", "\u{200B} ?fave"] {
            assert_eq!(arguments(text, "?fave"), Some(""), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_command_stays_none() {
        for text in [
            "",
            "?",
            "?\u{200B}",
            "fave pie",
            "! fave pie",
            "?favepie",
            "?fav e pie",
            "?? fave",
            "is this ? fave pie",
            "\u{200B}",
            "日本語 fave",
            "؟fave pie",
        ] {
            assert_eq!(arguments(text, "?fave"), None, "{text:?}");
        }
        // A word is no sign, and a command of a sign alone needs nothing behind it.
        assert_eq!(arguments("la la land", "lala"), None);
        assert_eq!(arguments("? pie", "?"), Some("pie"));
    }

    #[test]
    fn a_command_may_have_letters_of_any_writing() {
        for (text, command) in [
            ("?CAFE\u{301} x", "?café"),
            ("?café x", "?cafe\u{301}"),
            ("？すき x", "?すき"),
            ("?\u{1112}\u{1161}\u{11AB} x", "?한"),
            ("?ｶﾞ x", "?ガ"),
            ("!! GO x", "!!go"),
        ] {
            assert_eq!(arguments(text, command), Some("x"), "{text:?} {command:?}");
        }
    }

    #[test]
    fn a_command_of_two_words_is_known_however_it_is_written() {
        for text in
            ["?heat undo @bob 10m", "？ｈｅａｔ　Undo @bob 10m", " ? heat \u{200B}undo  @bob 10m"]
        {
            assert_eq!(after_command(text, "?heat undo"), Some("@bob 10m"), "{text:?}");
        }
        for other in ["?heat", "?heat undone @bob", "?heat set 5", "undo @bob", ""] {
            assert_eq!(after_command(other, "?heat undo"), None, "{other}");
        }
        assert_eq!(after_command("anything", ""), None);
    }

    #[test]
    fn what_looks_the_same_is_the_same() {
        assert_eq!(composed("pie\u{301}"), "pi\u{E9}");
        assert_eq!(composed("\u{212B}"), "\u{C5}");
        assert_eq!(composed("\u{1112}\u{1161}\u{11AB}"), "한");
        for plain in ["pie", "pié", "ﬁ ½ Ａ"] {
            assert!(matches!(composed(plain), Cow::Borrowed(it) if it == plain), "{plain}");
        }
        assert_eq!(seen("\u{200B}pie\u{301}\u{FE0F}"), seen("pié"));
        assert_ne!(seen("pie"), seen("pié"));
    }
}
