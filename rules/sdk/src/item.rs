//! The name of an item: one line of what can be seen, of a bounded length, in one form of Unicode (NFC).

use unicode_normalization::UnicodeNormalization;

/// The longest item, in characters. Twitch's lines have 500, but an item is a name.
const LONGEST: usize = 200;

/// Words with one space between them, without what cannot be seen: "pie" and "pie" with an invisible character are one item, and so are "pié" of
/// three code points and of four.
pub fn clean(text: &str) -> String {
    let mut item = String::new();
    for word in text.split_whitespace() {
        let seen = seen(word);
        if seen.is_empty() {
            continue;
        }
        if !item.is_empty() {
            item.push(' ');
        }
        item.push_str(&seen);
    }
    match item.char_indices().nth(LONGEST) {
        Some((end, _)) => item[..end].trim_end().to_owned(),
        None => item,
    }
}

/// Whether two words look the same: as `words` of the rule `fave` are compared with those of a line.
pub fn is_same(one: &str, other: &str) -> bool {
    one == other || (!(one.is_ascii() && other.is_ascii()) && bare(one).eq(bare(other)))
}

/// A word without anything that joins or varies signs, since these may come or not with the same emote.
fn bare(word: &str) -> impl Iterator<Item = char> {
    word.chars().filter(|it| !invisible(*it) && !joins(*it) && !varies(*it)).nfc()
}

/// What is seen of a word. Joiners and variations are part of emoji and of some scripts, and nothing elsewhere.
fn seen(word: &str) -> String {
    let mut kept: Vec<char> = Vec::new();
    let mut visible = word.chars().filter(|it| !invisible(*it)).peekable();
    while let Some(sign) = visible.next() {
        let idle = match kept.last() {
            _ if !joins(sign) && !varies(sign) => false,
            None => true,
            Some(before) if varies(sign) => is_latin(*before) && before.is_alphabetic(),
            Some(before) => is_latin(*before) || visible.peek().is_none_or(|it| is_latin(*it)),
        };
        if !idle {
            kept.push(sign);
        }
    }
    kept.into_iter().nfc().collect()
}

fn joins(character: char) -> bool {
    matches!(character, '\u{200C}' | '\u{200D}')
}

fn varies(character: char) -> bool {
    matches!(character, '\u{FE00}'..='\u{FE0F}')
}

/// Latin letters, and the digits and signs that come with them: none of them is joined to another.
fn is_latin(character: char) -> bool {
    character < '\u{300}'
}

/// Control characters, marks that turn the direction of writing, spaces without width, fillers, and characters without meaning.
pub(crate) fn invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{AD}'
                | '\u{34F}'
                | '\u{61C}'
                | '\u{115F}'
                | '\u{1160}'
                | '\u{17B4}'
                | '\u{17B5}'
                | '\u{180B}'..='\u{180F}'
                | '\u{200B}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFB}'
                | '\u{1BCA0}'..='\u{1BCA3}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E001F}'
                | '\u{E0080}'..='\u{E00FF}'
                | '\u{E01F0}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_makes_no_item() {
        for (text, expected) in [
            ("  the  big\tsong\n", "the big song"),
            ("pie\u{E0000}", "pie"),
            ("pie \u{34F}", "pie"),
            ("\u{34F}", ""),
            ("p\u{200B}i\u{202E}e", "pie"),
            ("\u{2800} \u{3164}\u{200D}", ""),
            ("a \u{7} b", "a b"),
            ("👩\u{200D}💻 ❤\u{FE0F}", "👩\u{200D}💻 ❤\u{FE0F}"),
            ("عربي", "عربي"),
            ("می\u{200C}خواهم", "می\u{200C}خواهم"),
            ("1\u{FE0F}\u{20E3} ©\u{FE0F}", "1\u{FE0F}\u{20E3} ©\u{FE0F}"),
            ("p\u{200C}ie\u{200D} \u{200D}p\u{FE0F}", "pie p"),
            ("عربي\u{200C}", "عربي"),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_looks_the_same_is_one_item() {
        for text in ["pie\u{301}", "pi\u{E9}", "pie\u{200B}\u{301}", "pie\u{200D}\u{301}"] {
            assert_eq!(clean(text), "pi\u{E9}", "{text:?}");
        }
        assert_eq!(clean("\u{1112}\u{1161}\u{11AB}"), "한");
        // Full-width letters look like full-width letters.
        assert_eq!(clean("ｐｉｅ"), "ｐｉｅ");
        for (one, other) in [("LUL", "LUL"), ("pie\u{301}", "pié\u{200B}"), ("❤", "❤\u{FE0F}")]
        {
            assert!(is_same(one, other), "{one:?} {other:?}");
        }
        for (one, other) in [("LUL", "lul"), ("pie", "pié")] {
            assert!(!is_same(one, other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_long_item_is_cut_between_characters() {
        assert_eq!(clean(&"ü".repeat(10_000)).chars().count(), LONGEST);
        assert_eq!(clean(&format!("{} b", "a".repeat(LONGEST - 1))).len(), LONGEST - 1);
    }
}
