//! A secret that the configuration names by its file: it never stands in the configuration itself.

use std::ops::Range;
use std::path::Path;

use super::mistakes::Mistakes;

/// The first line of a file. `what` it is: a password, say.
pub(super) fn first_line(
    folder: &Path,
    file: &str,
    span: &Range<usize>,
    what: &str,
    mistakes: &Mistakes,
) -> Option<String> {
    let text = match std::fs::read_to_string(folder.join(file)) {
        Ok(text) => text,
        Err(error) => {
            mistakes.add(span, format!("{file} cannot be read: {error}"));
            return None;
        }
    };
    let secret = text.lines().next().unwrap_or_default().trim();
    if secret.is_empty() {
        mistakes.add(span, format!("the first line of {file} is empty; it is the {what}"));
        return None;
    }
    Some(secret.to_owned())
}
