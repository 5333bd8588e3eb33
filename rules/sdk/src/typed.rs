//! Words of an order as they were meant: an input method writes full-width letters and digits, and some keyboards add what nobody sees.

use std::borrow::Cow;

use crate::item::invisible;

/// The full-width form of a sign is so far behind the sign itself.
const WIDER: u32 = 0xFEE0;

/// The word with plain letters, digits and signs in place of full-width ones, without what cannot be seen: "５０" is "50". For numbers, names and
/// words that a rule knows; what is faved is [`crate::item::clean`]ed.
pub fn plain(word: &str) -> Cow<'_, str> {
    match word.is_ascii() {
        true => Cow::Borrowed(word),
        false => word.chars().filter(|sign| !invisible(*sign)).map(narrow).collect(),
    }
}

fn narrow(sign: char) -> char {
    match sign {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(sign) - WIDER).unwrap_or(sign),
        _ => sign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_words_are_plain_words() {
        for (typed, meant) in [
            ("50", "50"),
            ("-２．５", "-2.5"),
            ("－５", "-5"),
            ("ＲＥＳＥＴ", "RESET"),
            ("＠ａｎｎ＿１", "@ann_1"),
            ("\u{200B}pause\u{FEFF}", "pause"),
            ("日本", "日本"),
        ] {
            assert_eq!(plain(typed), meant, "{typed:?}");
        }
    }
}
