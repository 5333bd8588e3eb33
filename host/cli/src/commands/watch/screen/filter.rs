//! What somebody looks for in lines: words, expressions, people, kinds.

use regex::{Regex, RegexBuilder};

use super::super::line::{Line, LineKind};

/// What a compiled expression may take, in bytes.
const LARGEST: usize = 1 << 20;

/// One thing that a line must have.
#[derive(Debug, Clone)]
pub(crate) enum Term {
    /// Of this person.
    From(String),
    /// Of this kind: chat, event, rule, fault, or the kind of an event.
    Kind(String),
    /// Anywhere in names and text.
    Text(Regex),
}

impl Term {
    /// `from:ann`, `kind:raid`, `/expression/`, or words.
    pub(crate) fn read(typed: &str) -> Result<Self, String> {
        if let Some(who) = typed.strip_prefix("from:") {
            return Ok(Self::From(who.trim_start_matches('@').to_lowercase()));
        }
        if let Some(kind) = typed.strip_prefix("kind:") {
            return Ok(Self::Kind(kind.to_lowercase()));
        }
        let inside = typed.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let expression = match inside.filter(|inside| !inside.is_empty()) {
            Some(expression) => expression.to_owned(),
            None => format!("(?i){}", regex::escape(typed)),
        };
        let built =
            RegexBuilder::new(&expression).size_limit(LARGEST).dfa_size_limit(LARGEST).build();
        let last = |error: regex::Error| {
            let text = error.to_string();
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        };
        built.map(Self::Text).map_err(last)
    }

    pub(crate) fn has(&self, line: &Line) -> bool {
        match self {
            Self::From(who) => line
                .said
                .as_ref()
                .is_some_and(|said| said.login == *who || said.name.to_lowercase() == *who),
            Self::Kind(kind) => {
                let named = match line.kind {
                    LineKind::Chat => "chat",
                    LineKind::Event => "event",
                    LineKind::Rule => "rule",
                    LineKind::Fault => "fault",
                    LineKind::Note => "note",
                };
                kind == named || (!line.event.is_empty() && line.event == *kind)
            }
            Self::Text(expression) => {
                expression.is_match(&line.text) || expression.is_match(line.lead.trim_start())
            }
        }
    }
}

/// Terms of which a line must have all. Notes pass always: they are about the connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    terms: Vec<Term>,
    /// As it was typed.
    pub(crate) typed: String,
}

impl Filter {
    /// Terms between spaces; an expression may have spaces.
    pub(crate) fn read(typed: &str) -> Result<Self, String> {
        let typed = typed.trim();
        let mut terms = Vec::new();
        let mut rest = typed;
        while !rest.is_empty() {
            let closing = rest.strip_prefix('/').and_then(|inside| inside.find("/ "));
            let end = match closing {
                Some(end) => end + 2,
                None if rest.starts_with('/') && rest.len() > 1 && rest.ends_with('/') => {
                    rest.len()
                }
                None => rest.find(' ').unwrap_or(rest.len()),
            };
            terms.push(Term::read(&rest[..end])?);
            rest = rest[end..].trim_start();
        }
        Ok(Self { terms, typed: typed.to_owned() })
    }

    pub(crate) fn passes(&self, line: &Line) -> bool {
        line.kind == LineKind::Note || self.terms.iter().all(|term| term.has(line))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::entry::ChatEntry;
    use super::*;

    fn chat(login: &str, text: &str) -> Line {
        let (login, name, text) = (login.to_owned(), login.to_uppercase(), text.to_owned());
        Line::chat("seaside", &ChatEntry { login, name, text, ..ChatEntry::default() })
    }

    #[test]
    fn a_line_passes_with_all_terms() -> Result<(), String> {
        let raid =
            Line { event: "raid".to_owned(), ..Line::new(LineKind::Event, "x", "*", "ben raids") };
        for (typed, expected) in [
            ("", [true, true, true]),
            ("PIE", [true, false, false]),
            ("from:@Ann", [true, true, false]),
            ("from:ann pie", [true, false, false]),
            ("kind:chat", [true, true, false]),
            ("kind:raid", [false, false, true]),
            ("kind:event ben", [false, false, true]),
            ("/^no p.e/ from:ann", [false, true, false]),
            ("/", [false, false, false]),
        ] {
            let filter = Filter::read(typed)?;
            let lines = [chat("ann", "a pie"), chat("ann", "no pXe"), raid.clone()];
            assert_eq!(lines.map(|line| filter.passes(&line)), expected, "{typed}");
            assert!(filter.passes(&Line::note("heatd is back")));
        }
        Ok(())
    }

    #[test]
    fn what_is_no_expression_is_told_and_what_would_explode_is_refused() {
        let refused = |typed: &str| Filter::read(typed).err().unwrap_or_default();
        assert_eq!(refused("/a(/"), "unclosed group");
        assert!(
            refused(r"/(\w{900}){900}/").contains("size limit"),
            "{}",
            refused(r"/(\w{900}){900}/")
        );
    }
}
