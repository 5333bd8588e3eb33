//! Reads the settings file (TOML) and points at mistakes in it: file, line, the line itself, what to write instead.
//! Unknown keys are mistakes: a misspelt one would otherwise do nothing in silence.

use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

use crate::mistake::Mistake;
use crate::sheet::Common;

/// A settings file that was read, with its text to point into.
pub(crate) struct SheetFile<'a> {
    path: &'a Path,
    text: String,
}

impl<'a> SheetFile<'a> {
    pub(crate) fn open(path: &'a Path) -> Result<Self> {
        let bytes = fs::read(path)
            .with_context(|| format!("failed to read the settings file {}", path.display()))?;
        Self::of(path, bytes)
    }

    /// The file with these bytes.
    pub(crate) fn of(path: &'a Path, bytes: Vec<u8>) -> Result<Self> {
        let text =
            decoded(bytes).with_context(|| format!("{} is no settings file", path.display()))?;
        Ok(Self { path, text })
    }

    pub(crate) fn sheet(&self) -> Result<Common> {
        toml::from_str(&self.text).map_err(|error| {
            let at = error.span().unwrap_or_default();
            let message = error.message().trim();
            self.point(&at, &clearer(message), advice(message, self.line_at(&at).1))
        })
    }

    /// Points at the key that a check of several settings complains about.
    pub(crate) fn mistake(&self, mistake: &Mistake) -> anyhow::Error {
        let at = self.find(mistake);
        self.point(&at, &mistake.text, None)
    }

    /// Where the key stands. The text is known to be sound TOML, so looking for the line that begins with the key is
    /// enough; a key that is not there is looked for at its table, or nowhere.
    fn find(&self, mistake: &Mistake) -> Range<usize> {
        let mut table = None;
        let mut begin = 0;
        let mut heading = 0..0;
        for line in self.text.split_inclusive('\n') {
            let trimmed = line.trim();
            if trimmed.starts_with("[[") {
                table = Some(table.map_or(0, |number: usize| number + 1));
                if table == mistake.file {
                    heading = begin..begin + line.len();
                }
            }
            let key = trimmed.split('=').next().unwrap_or_default();
            if table == mistake.file && key.trim().trim_matches(['"', '\'']) == mistake.key {
                return begin..begin + line.len();
            }
            begin += line.len();
        }
        heading
    }

    fn point(&self, at: &Range<usize>, message: &str, advice: Option<String>) -> anyhow::Error {
        let path = self.path.display();
        let message = visible(message);
        let advice = advice.map_or_else(String::new, |it| format!("\n{}", visible(&it)));
        if at.is_empty() && at.start == 0 {
            return anyhow!("{path}: {message}{advice}");
        }
        let (number, line) = self.line_at(at);
        let line = visible(&masked(line));
        anyhow!("{path}, line {number}: {message}\n  {number} | {line}{advice}")
    }

    /// Number and text of the line where a range begins.
    fn line_at(&self, at: &Range<usize>) -> (usize, &str) {
        let mut start = at.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &self.text[..start];
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[begin..].lines().next().unwrap_or_default();
        (before.matches('\n').count() + 1, line)
    }
}

/// A line to show. A password or token that stands where it should not is not repeated: it would end up in a log.
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

/// The text with control characters as TOML writes them: what is wrong is seen, and does nothing to the terminal.
fn visible(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' => " ".to_owned(),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(shown).collect()
}

/// Windows editors save UTF-8 with a mark or UTF-16; the first is fine, the second is named.
fn decoded(bytes: Vec<u8>) -> Result<String> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        bail!("it is UTF-16 text; save it as UTF-8");
    }
    let text = String::from_utf8(bytes).context("it is not UTF-8 text; save it as UTF-8")?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

fn clearer(message: &str) -> String {
    match unknown_key(message) {
        Some((key, _)) => format!("unknown key `{key}`"),
        None => message.replace('\n', " "),
    }
}

/// What to write instead, where that can be told.
fn advice(message: &str, line: &str) -> Option<String> {
    if let Some((key, known)) = unknown_key(message) {
        let similar = known
            .iter()
            .map(|name| (strsim::jaro_winkler(key, name), name))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(likeness, _)| *likeness > 0.8);
        return Some(match similar {
            Some((_, name)) => format!("did you mean `{name}`?"),
            None => format!("known keys here: {}", known.join(", ")),
        });
    }
    if line.contains('\\') && line.contains('"') {
        return Some(
            "write Windows paths in single quotes: path = 'C:\\stream\\heat.txt'".to_owned(),
        );
    }
    message.contains("expected a string").then(|| "write it in quotes".to_owned())
}

/// The key and the known ones, from serde's "unknown field `a`, expected one of `b`, `c`".
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let quoted = message.strip_prefix("unknown field `")?;
    let (key, rest) = quoted.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).collect();
    Some((key, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let file = SheetFile { path: Path::new("writer.toml"), text: text.to_owned() };
        assert_eq!(file.sheet().unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_password_in_the_wrong_place_is_not_repeated() {
        check(
            "user = 'a'\npassword = 'x'\n",
            "writer.toml, line 2: unknown key `password`\n  2 | password = …\ndid you mean `password-file`?",
        );
    }

    #[test]
    fn unknown_key_is_named_with_its_line_and_the_likely_one() {
        check(
            "# comment\nbrokr = 'pi'\n",
            "writer.toml, line 2: unknown key `brokr`\n  2 | brokr = 'pi'\ndid you mean `broker`?",
        );
        check(
            "broker = 'pi'\n[[file]]\npath = 'x'\nzerotext = '0'\n",
            "writer.toml, line 4: unknown key `zerotext`\n  4 | zerotext = '0'\ndid you mean `zero-text`?",
        );
    }

    #[test]
    fn key_without_a_likely_one_gets_the_list() {
        let file = SheetFile { path: Path::new("writer.toml"), text: "qos = 1".to_owned() };
        let error = file.sheet().unwrap_err().to_string();
        assert!(error.contains("known keys here: broker, user,"), "{error}");
    }

    #[test]
    fn wrong_values_are_named_with_their_line() {
        check(
            "broker = 'pi'\noffline-after = '5'\n",
            "writer.toml, line 2: `5` is no duration; write a number and a unit, such as `1s`, `500ms` or `2m`\n  2 | offline-after = '5'",
        );
        check(
            "[[file]]\npath = 'x'\nevery = 2\n",
            "writer.toml, line 3: invalid type: integer `2`, expected a string\n  3 | every = 2\nwrite it in quotes",
        );
        check(
            "[[file]]\npath = 'x'\n[[file]]\nchannel = '+'\n",
            "writer.toml, line 4: `+` has a wildcard (`+` or `#`), but one file shows one output; write the name in full\n  4 | channel = '+'",
        );
    }

    #[test]
    fn windows_path_in_double_quotes_gets_advice() {
        let file = SheetFile {
            path: Path::new("writer.toml"),
            text: "[[file]]\npath = \"C:\\stream\\heat.txt\"\n".to_owned(),
        };
        let error = file.sheet().unwrap_err().to_string();
        assert!(error.contains("line 2:") && error.contains("single quotes"), "{error}");
    }

    #[test]
    fn utf16_is_named() {
        let error = decoded(b"\xff\xfeb\0".to_vec()).unwrap_err();
        assert!(error.to_string().contains("save it as UTF-8"));
        assert_eq!(decoded(b"\xef\xbb\xbfa = 1".to_vec()).unwrap(), "a = 1");
    }
}
