//! What a line of Twitch chat says, whoever brings it: its text without what clients add, and what badges say of the person. Pure.

use heat_engine::is_invisible;
use heat_engine::wit::Tier;

/// Twitch's account for anonymous cheers.
pub(crate) const ANONYMOUS_CHEERER: &str = "ananonymouscheerer";

/// The text that a person wrote, and how many characters were cut from its start: the mention of a reply. `/me` is taken off; it does not count.
pub(crate) fn plain_text(sent: &str, is_reply: bool) -> (String, usize) {
    // Positions of emotes count from behind "ACTION ", so what is cut for it is not counted.
    let text = sent
        .strip_prefix("\u{1}ACTION ")
        .map_or(sent, |action| action.strip_suffix('\u{1}').unwrap_or(action));
    let text = without_padding(text);
    if !is_reply || !text.starts_with('@') {
        return (text.to_owned(), 0);
    }
    let rest = text.split_once(' ').map_or("", |(_, rest)| rest);
    (rest.to_owned(), text.chars().count() - rest.chars().count())
}

/// The text without what clients append to a line that repeats the one before, so that Twitch does not drop it: U+E0000 until August 2025, and
/// U+034F since (Chatterino/chatterino2#6417). The next one will be another character that nobody sees, so each such word at the end goes.
fn without_padding(text: &str) -> &str {
    let mut text = text.trim_end_matches(['\u{E0000}', '\u{34F}', ' ']);
    while let Some((rest, last)) = text.rsplit_once(' ')
        && last.chars().all(is_invisible)
    {
        text = rest.trim_end_matches(' ');
    }
    text
}

/// The tier of a subscription by the version of the subscriber's badge: the months, with 2000 or 3000 added for the second and third tier.
pub(crate) fn tier_of_badge(version: &str) -> Tier {
    match version.parse::<u32>().unwrap_or(0) {
        0..2000 => Tier::One,
        2000..3000 => Tier::Two,
        _ => Tier::Three,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_told_from_what_was_added() {
        assert_eq!(plain_text("\u{1}ACTION waves\u{1}", false), ("waves".to_owned(), 0));
        assert_eq!(plain_text("@bob Kappa", true), ("Kappa".to_owned(), 5));
        assert_eq!(plain_text("@bob Kappa", false), ("@bob Kappa".to_owned(), 0));
        assert_eq!(plain_text("@bob", true), (String::new(), 4));
        assert_eq!(plain_text("again \u{34F}", false), ("again".to_owned(), 0));
    }
}
