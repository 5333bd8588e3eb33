//! What strangers write, made harmless for a terminal: no control characters, and none that turn the direction of text.

use std::fmt::Write as _;

/// What stands for a character that may not be shown.
const INSTEAD: char = '\u{FFFD}';

/// Whether a character does something to a terminal or to the text around it, other than being seen.
fn is_harmful(c: char) -> bool {
    c.is_control()
        // Marks, embeddings, overrides and isolates of direction (Unicode Annex 9), and separators of lines.
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{206F}')
        // A byte order mark, annotations, and tags: invisible, and some clients append one to every line.
        || matches!(c, '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// The text with a mark in place of each harmful character.
pub(crate) fn text(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) { INSTEAD } else { c }).collect()
}

/// JSON with each harmful character as an escape, which says the same. Line ends between values stay.
pub(crate) fn json(json: &str) -> String {
    let mut clean = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !is_harmful(c) {
            clean.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing into a string does not fail.
                let _ = write!(clean, "\\u{unit:04x}");
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_stranger_reaches_the_terminal_raw() {
        let evil = "\u{1b}[31mred\u{7} \u{9b}2J \u{202E}back\u{2066} a\r\nb\tc \u{E0000}";
        let shown = text(evil);
        assert!(!shown.chars().any(is_harmful), "{shown:?}");
        assert_eq!(text("\u{202E}evil\u{1b}[2J"), "\u{FFFD}evil\u{FFFD}[2J");
    }

    #[test]
    fn writing_systems_and_emoji_stay() {
        for fine in ["שלום مرحبا", "👩‍👩‍👧‍👦 😂", "naïve – “quoted”", "日本語 ไทย"]
        {
            assert_eq!(text(fine), fine);
        }
    }

    #[test]
    fn escaped_json_says_the_same() {
        let value = serde_json::json!({ "text": "\u{202E}x\u{7f}\u{9b}\u{E0001} ok\n" });
        let clean = json(&value.to_string());
        assert!(!clean.chars().any(is_harmful), "{clean:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&clean).unwrap(), value);
    }
}
