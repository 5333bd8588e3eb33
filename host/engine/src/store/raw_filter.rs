//! Tells which blocks of the log cannot have what is looked for, by their bytes alone: texts stand in them as they are.

use regex::bytes::{Regex, RegexBuilder};

/// What a compiled expression may take, in bytes. Without it every block may have what is looked for.
const LARGEST: usize = 1 << 20;

/// What a block must have. Without anything, every block passes.
#[derive(Default)]
pub(crate) struct RawFilter(Vec<Regex>);

impl RawFilter {
    /// Blocks that have one of these words, in any case of ASCII's letters.
    pub(crate) fn words<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        Self(any_of(words, false).into_iter().collect())
    }

    /// They must have one of these words too, written so.
    pub(crate) fn exact<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        self.0.extend(any_of(words, true));
    }

    /// They must match this too.
    pub(crate) fn expression(&mut self, expression: Regex) {
        self.0.push(expression);
    }

    pub(crate) fn may_have(&self, block: &[u8]) -> bool {
        self.0.iter().all(|it| it.is_match(block))
    }
}

/// One of these words. None where there are too many for an expression.
fn any_of<'a>(words: impl Iterator<Item = &'a str>, exactly: bool) -> Option<Regex> {
    let words: Vec<String> = words.map(escaped).collect();
    let mut built = RegexBuilder::new(&words.join("|"));
    built.unicode(false).case_insensitive(!exactly).size_limit(LARGEST).build().ok()
}

/// A word whose bytes are compared, so letters beyond ASCII have one case.
fn escaped(word: &str) -> String {
    let escaped = regex::escape(word);
    let byte = |byte: u8| {
        if byte.is_ascii() { char::from(byte).to_string() } else { format!(r"\x{byte:02X}") }
    };
    escaped.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_passes_with_one_word_of_each_list() {
        let mut filter = RawFilter::words(["ann", "Änn (x)"].into_iter());
        assert!(filter.may_have(b"\xa3ANN\xff") && filter.may_have("\u{1}Änn (X)".as_bytes()));
        assert!(!filter.may_have("änn".as_bytes()) && !filter.may_have(b"an"));
        filter.exact(["Chat", "Faves"].into_iter());
        assert!(filter.may_have(b"ann Chat") && !filter.may_have(b"ann chat"));
        assert!(RawFilter::default().may_have(b""));
    }
}
