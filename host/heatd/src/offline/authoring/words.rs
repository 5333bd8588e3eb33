//! How answers about a component are written for a terminal.

use heat_engine::{Component, role_name};

/// Replaces control characters: the texts of a component must not control the terminal.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c }).collect()
}

/// The first line of every answer: which rule this is.
pub(super) fn headline(rule: &Component, bytes: usize) -> String {
    let about = &rule.description;
    let (name, version, role) = (&about.name, &about.version, role_name(about.role));
    format!("{name} {version}, a {role} of {} bytes\n", counted(bytes as u64))
}

/// A number with its digits in groups of three.
pub(super) fn counted(number: u64) -> String {
    let digits = number.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let (mut text, mut rest) = (digits[..first].to_owned(), &digits[first..]);
    while !rest.is_empty() {
        text = format!("{text},{}", &rest[..3]);
        rest = &rest[3..];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_digits_in_groups_of_three() {
        let said = [0, 999, 1_000, 20_000_000].map(counted);
        assert_eq!(said, ["0", "999", "1,000", "20,000,000"]);
    }
}
