//! Commands in chat, as people write them.

/// The rest of a line after a command of one or more words; None if the line does not begin with it. Case and spaces do not matter.
pub(crate) fn after<'a>(text: &'a str, command: &str) -> Option<&'a str> {
    let mut rest = text.trim_start();
    if command.is_empty() {
        return None;
    }
    for word in command.split_whitespace() {
        let (first, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if first.to_lowercase() != word {
            return None;
        }
        rest = behind.trim_start();
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_of_two_words_is_known_however_it_is_written() {
        assert_eq!(after("?heat undo @bob 10m", "?heat undo"), Some("@bob 10m"));
        assert_eq!(after("  ?HEAT   Undo   @bob", "?heat undo"), Some("@bob"));
        for other in ["?heat", "?heat undone @bob", "?heat set 5", "undo @bob", ""] {
            assert_eq!(after(other, "?heat undo"), None, "{other}");
        }
        assert_eq!(after("anything", ""), None);
    }
}
