//! Texts as JSON has them: just enough for a rule that shows a small object.

/// The text in quotes, with escapes where JSON needs them.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", inside(text))
}

/// The same without the quotes.
pub fn inside(text: &str) -> String {
    let mut inside = String::with_capacity(text.len());
    for character in text.chars() {
        escape(&mut inside, character, |character| !character.is_control());
    }
    inside
}

/// Adds a character as JSON has it in a text: itself if it is `plain`, else an escape. Without texts in between, which would cost a
/// long title the most of a call's fuel.
pub fn escape(name: &mut String, character: char, plain: impl Fn(char) -> bool) {
    match character {
        '"' => name.push_str("\\\""),
        '\\' => name.push_str("\\\\"),
        '\n' => name.push_str("\\n"),
        '\r' => name.push_str("\\r"),
        '\t' => name.push_str("\\t"),
        '\u{8}' => name.push_str("\\b"),
        '\u{c}' => name.push_str("\\f"),
        _ if plain(character) => name.push(character),
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                name.push_str("\\u");
                for shift in [12, 8, 4, 0] {
                    let digit = u32::from(*unit >> shift & 0xf);
                    name.extend(char::from_digit(digit, 16));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_the_text_is_escaped() {
        for (text, json) in
            [("Kappa", r#""Kappa""#), (r#":\"#, r#"":\\""#), ("\"\n\u{1}", r#""\"\n\u0001""#)]
        {
            assert_eq!(quoted(text), json);
        }
    }
}
