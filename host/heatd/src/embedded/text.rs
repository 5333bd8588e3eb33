//! Which texts the broker takes: only such as every client can read, so that nobody's message cuts the connection of another.

use rumqttc::valid_filter;

use super::bounds::{LONGEST_TOPIC, MOST_LEVELS};

/// Why a topic or a filter is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It is none.
    Malformed,
    /// Too long, or too many levels.
    TooLong,
}

/// Whether every client can read this text: mosquitto's take no control characters and none that Unicode has ruled out.
pub(super) fn is_clean(text: &str) -> bool {
    !text.chars().any(|c| {
        let code = u32::from(c);
        c.is_control() || (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
    })
}

/// Checks the name of a topic.
pub(super) fn topic(name: &str) -> Result<(), Flaw> {
    if name.is_empty() || name.contains(['+', '#']) || !is_clean(name) {
        return Err(Flaw::Malformed);
    }
    length(name)
}

/// Checks a topic filter.
pub(super) fn filter(filter: &str) -> Result<(), Flaw> {
    if filter.is_empty() || !is_clean(filter) || !valid_filter(filter) {
        return Err(Flaw::Malformed);
    }
    length(filter)
}

fn length(text: &str) -> Result<(), Flaw> {
    let fits = text.len() <= LONGEST_TOPIC && text.split('/').count() <= MOST_LEVELS;
    if fits { Ok(()) } else { Err(Flaw::TooLong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_neither_deep_nor_long_and_every_client_can_read_it() {
        for (name, expected) in [
            ("deck/fave".to_owned(), Ok(())),
            ("🔥/ä".to_owned(), Ok(())),
            (String::new(), Err(Flaw::Malformed)),
            ("a/+".to_owned(), Err(Flaw::Malformed)),
            ("a\0b".to_owned(), Err(Flaw::Malformed)),
            ("a\u{9f}b".to_owned(), Err(Flaw::Malformed)),
            ("a\u{1fffe}".to_owned(), Err(Flaw::Malformed)),
            ("/".repeat(MOST_LEVELS - 1), Ok(())),
            ("/".repeat(MOST_LEVELS), Err(Flaw::TooLong)),
            ("x".repeat(LONGEST_TOPIC + 1), Err(Flaw::TooLong)),
        ] {
            assert_eq!(topic(&name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_filter_has_wildcards_where_they_belong() {
        for (text, expected) in [
            ("#", Ok(())),
            ("+/a/#", Ok(())),
            ("a#", Err(Flaw::Malformed)),
            ("a/#/b", Err(Flaw::Malformed)),
            ("a+/b", Err(Flaw::Malformed)),
            ("", Err(Flaw::Malformed)),
        ] {
            assert_eq!(filter(text), expected, "{text:?}");
        }
    }
}
