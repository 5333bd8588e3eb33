//! Mistakes in a configuration: all of them, each with its line, and with a suggestion where there is one.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One mistake. `at` is where it stands in the text, in bytes.
#[derive(Debug)]
struct Mistake {
    at: usize,
    problem: String,
    hint: Option<String>,
}

/// Collects mistakes while a configuration is read.
pub(crate) struct Mistakes {
    file: PathBuf,
    text: String,
    found: RefCell<Vec<Mistake>>,
}

impl Mistakes {
    pub(crate) fn new(file: &Path, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned(), found: RefCell::default() }
    }

    /// Adds a mistake that stands here.
    pub(crate) fn add(&self, span: &Range<usize>, problem: impl Into<String>) {
        self.found.borrow_mut().push(Mistake {
            at: span.start,
            problem: problem.into(),
            hint: None,
        });
    }

    /// Adds a mistake, with what to do about it.
    pub(crate) fn add_with_hint(
        &self,
        span: &Range<usize>,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let mistake = Mistake { at: span.start, problem: problem.into(), hint: Some(hint.into()) };
        self.found.borrow_mut().push(mistake);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// How many were found so far, so that a value with a mistake is not reported as missing, too.
    pub(crate) fn count(&self) -> usize {
        self.found.borrow().len()
    }

    /// All mistakes as sentences, if there is no file to point at.
    pub(crate) fn sentences(&self) -> String {
        let problems: Vec<String> =
            self.found.borrow().iter().map(|it| visible(&it.problem)).collect();
        problems.join("; ")
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, mistake: &Mistake) -> fmt::Result {
        let before = self.text.get(..mistake.at).unwrap_or(&self.text);
        let line = before.matches('\n').count();
        let shown = self.text.lines().nth(line).unwrap_or_default();
        let problem = visible(&mistake.problem);
        writeln!(f, "{}:{}: {problem}", self.file.display(), line + 1)?;
        if !shown.trim().is_empty() {
            writeln!(f, "    {}", visible(&masked(shown.trim_end())))?;
        }
        match &mistake.hint {
            Some(hint) => writeln!(f, "    {}", visible(hint)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut found = self.found.borrow_mut();
        found.sort_by_key(|mistake| mistake.at);
        found.iter().try_for_each(|mistake| self.write(f, mistake))
    }
}

/// A line of the configuration to show. A password or token in it is masked, because the message may end up in a log.
fn masked(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    for word in ["pass", "pasw", "pwd", "secret", "token"] {
        let Some(at) = lower.find(word) else { continue };
        let Some(end) = lower[at..].find('=') else { continue };
        if !lower[at..at + end].trim_end().ends_with("file") {
            return format!("{} …", &line[..=at + end]);
        }
    }
    line.to_owned()
}

/// Escapes control characters as TOML does, so that they are visible and harmless to a terminal.
fn visible(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' => " ".to_owned(),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}

/// The known word that is most similar to this one, if any is similar enough.
pub(crate) fn most_like<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_secret_in_the_wrong_place_is_not_shown() {
        for (line, expected) in [
            ("password = \"x\"", "password = …"),
            ("  PASSWD=x # y", "  PASSWD= …"),
            ("user = { name = \"a\", password = \"x\" }", "user = { name = \"a\", password = …"),
            ("token = \"x\"", "token = …"),
            ("password_file = \"x\"", "password_file = \"x\""),
            ("half_life = \"3m\"", "half_life = \"3m\""),
        ] {
            assert_eq!(masked(line), expected);
        }
    }
}
