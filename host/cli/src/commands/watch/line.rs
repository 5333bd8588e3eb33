//! A line of the watch: who, what, and how it looks. Everything that strangers wrote is made harmless here.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::colours::Rgb;
use super::entry::{ChatEntry, EmoteId, EmotePlace};
use crate::terminal::clean;

/// How wide names are: most fit, and texts stand below each other.
pub(crate) const NAME: usize = 12;

/// What a line is, which says how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineKind {
    Chat,
    Event,
    Rule,
    Fault,
    Note,
}

/// One line: who, and what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) kind: LineKind,
    /// Empty for what is about no channel.
    pub(crate) channel: String,
    /// When, in milliseconds since 1970, where that is told.
    pub(crate) at: Option<u64>,
    /// As wide as every lead, unless the name is longer.
    pub(crate) lead: String,
    /// The channel, where there are several.
    pub(crate) tag: String,
    pub(crate) text: String,
    /// The kind of an event.
    pub(crate) event: String,
    /// Of what a rule did: the id of the line of chat that it answered.
    pub(crate) of: Option<String>,
    /// Of a line of chat.
    pub(crate) said: Option<Box<Said>>,
    /// Moderators have removed it.
    pub(crate) is_struck: bool,
}

/// What is known of a line of chat.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Said {
    /// Twitch's id of it.
    pub(crate) id: String,
    pub(crate) login: String,
    pub(crate) name: String,
    pub(crate) colour: Option<Rgb>,
    pub(crate) badges: Vec<String>,
    /// Where emotes stand in the text, in bytes, and which.
    pub(crate) emotes: Vec<(Range<usize>, EmoteId)>,
    pub(crate) reply_to: Option<String>,
    pub(crate) first: bool,
}

impl Line {
    /// `lead` and `text` may be of strangers.
    pub(crate) fn new(kind: LineKind, channel: &str, lead: &str, text: &str) -> Self {
        Self {
            kind,
            channel: channel.to_owned(),
            at: None,
            lead: right(&clean::text(lead)),
            tag: String::new(),
            text: clean::text(text),
            event: String::new(),
            of: None,
            said: None,
            is_struck: false,
        }
    }

    pub(crate) fn note(text: &str) -> Self {
        Self::new(LineKind::Note, "", "*", text)
    }

    pub(crate) fn chat(channel: &str, entry: &ChatEntry) -> Self {
        let who = if entry.name.to_lowercase() == entry.login {
            format!("{}:", entry.name)
        } else {
            format!("{} ({}):", entry.name, entry.login)
        };
        let line = Self::new(LineKind::Chat, channel, &who, &entry.text);
        let said = Said {
            id: entry.id.clone(),
            login: clean::text(&entry.login),
            name: clean::text(&entry.name),
            colour: entry.colour.as_deref().and_then(Rgb::read),
            badges: entry.badges.clone(),
            emotes: places(&line.text, &entry.emotes),
            reply_to: entry.reply_to.as_deref().map(clean::text),
            first: entry.first,
        };
        Self { at: entry.at, is_struck: entry.removed, said: Some(Box::new(said)), ..line }
    }

    /// Strikes the line, where it is among those that moderators have removed.
    pub(crate) fn strike(&mut self, channel: &str, id: Option<&str>, login: Option<&str>) {
        let Some(said) = self.said.as_ref().filter(|_| self.channel == channel) else { return };
        let is_it = match (id, login) {
            (Some(id), _) => said.id == id,
            (None, Some(login)) => said.login == login,
            (None, None) => true,
        };
        self.is_struck |= is_it;
    }
}

/// Places in code points as places in bytes. Cleaning a text keeps its code points.
fn places(text: &str, emotes: &[EmotePlace]) -> Vec<(Range<usize>, EmoteId)> {
    if emotes.is_empty() {
        return Vec::new();
    }
    let mut starts: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
    starts.push(text.len());
    let mut found: Vec<(Range<usize>, EmoteId)> = Vec::new();
    for EmotePlace { from, to, emote } in emotes {
        let (Some(&start), Some(&end)) = (starts.get(*from), starts.get(*to)) else { continue };
        if start < end && found.last().is_none_or(|(before, _)| before.end <= start) {
            found.push((start..end, emote.clone()));
        }
    }
    found
}

/// A text at the right end of the names.
pub(crate) fn right(text: &str) -> String {
    format!("{}{text}", " ".repeat(NAME.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emotes_are_where_the_text_has_them_and_what_does_not_fit_is_left_out() {
        let at = |places: &[(usize, usize)]| -> Vec<EmotePlace> {
            let emote = EmoteId { provider: "twitch".to_owned(), id: "25".to_owned() };
            let place = |&(from, to): &_| EmotePlace { from, to, emote: emote.clone() };
            places.iter().map(place).collect()
        };
        let text = "日本 Kappa é Kappa";
        let found = places(text, &at(&[(3, 8), (11, 16), (4, 9), (16, 17), (9, 90)]));
        let ranges: Vec<_> = found.into_iter().map(|(range, _)| range).collect();
        assert_eq!(ranges, [7..12, 16..21]);
        assert!(places("", &at(&[(0, 1)])).is_empty());
    }
}
