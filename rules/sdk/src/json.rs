//! Texts as JSON has them: just enough for a rule that shows a small object.

/// The text in quotes, with escapes where JSON needs them.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", inside(text))
}

/// The same without the quotes.
pub fn inside(text: &str) -> String {
    text.chars().map(|character| escaped(character, |character| !character.is_control())).collect()
}

/// A character as JSON has it in a text: itself if it is `plain`, else an escape.
pub fn escaped(character: char, plain: impl Fn(char) -> bool) -> String {
    match character {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        _ if plain(character) => character.to_string(),
        _ => {
            let mut units = [0; 2];
            character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
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
