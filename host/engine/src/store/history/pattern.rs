//! What words are looked for in what people have written.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder, bytes};

use crate::contract::Happening;

/// What a compiled expression may take, in bytes. One that takes more is refused.
const LARGEST: usize = 1 << 20;

/// Words, or an expression, that a text has. It takes time in proportion to the text, whatever it is.
#[derive(Debug, Clone)]
pub struct TextPattern {
    expression: Regex,
    /// The same for the bytes of a block, where they can tell.
    pub(super) raw: Option<bytes::Regex>,
}

impl TextPattern {
    /// A text that is looked for as it is, in any case of its letters.
    pub fn words(text: &str) -> Result<Self, String> {
        let escaped = format!("(?i){}", regex::escape(text));
        let raw = bytes::RegexBuilder::new(&escaped).size_limit(LARGEST).build();
        Ok(Self { raw: Some(raw.map_err(words_of)?), ..Self::expression(&escaped)? })
    }

    /// A regular expression, in the syntax of the crate `regex`.
    pub fn expression(expression: &str) -> Result<Self, String> {
        let built =
            RegexBuilder::new(expression).size_limit(LARGEST).dfa_size_limit(LARGEST).build();
        // What stands beside a text in a block would be taken for a part of it, so the bytes of a block cannot tell.
        Ok(Self { expression: built.map_err(words_of)?, raw: None })
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        self.expression.is_match(text)
    }

    pub(super) fn is_in_any(&self, texts: &[Cow<'_, str>]) -> bool {
        texts.iter().any(|text| self.is_in(text))
    }
}

/// What is wrong with an expression, in a line.
fn words_of(error: regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        // The last line says what is wrong; those before show where.
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    }
}

/// What people have written in an event.
pub(super) fn texts_of(what: &Happening) -> Vec<Cow<'_, str>> {
    let texts: &[&str] = match what {
        Happening::Chat(line) => &[&line.text],
        Happening::Command(command) => &[&command.line.text],
        Happening::Subscription(it) => &[&it.text],
        Happening::Cheer(it) => &[&it.text],
        Happening::Redemption(it) => &[&it.reward, &it.text],
        Happening::Mqtt(it) => return vec![String::from_utf8_lossy(&it.payload)],
        Happening::Fave(it) => &[&it.item],
        _ => &[],
    };
    texts.iter().copied().map(Cow::Borrowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_and_are_no_expression() -> Result<(), String> {
        let words = TextPattern::words("Größe (a+)")?;
        assert!(words.is_in("die GRÖSSE und GRÖßE (A+)!"));
        assert!(!words.is_in("grösse (aa)"));
        let expression = TextPattern::expression("^pie|cake$")?;
        assert!(
            expression.is_in("pie!") && expression.is_in("a cake") && !expression.is_in("a pie")
        );
        Ok(())
    }

    #[test]
    fn what_is_no_expression_and_what_is_too_large_is_refused_with_the_reason() {
        let refused = |text: &str| TextPattern::expression(text).err().unwrap_or_default();
        assert_eq!(refused("a("), "unclosed group");
        assert_eq!(refused(r"\w{500}{500}"), "it is too large");
        assert_eq!(refused("(a)\\1"), "backreferences are not supported");
    }
}
