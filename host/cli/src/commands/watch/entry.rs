//! One entry of the feed, as heatd sends it.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Empty for what is about the feed itself.
    #[serde(default)]
    pub(crate) channel: String,
    #[serde(flatten)]
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum What {
    /// Where the entries are from, and which channels there are.
    Hello { version: String, channels: Vec<String> },
    /// So many of the next entries are of the past.
    Past { entries: u64 },
    /// A line of chat.
    Chat(Box<ChatEntry>),
    /// Moderators have removed a line, all lines of a person, or all.
    Removed { id: Option<String>, login: Option<String> },
    /// Anything else that happened, in a sentence.
    Event {
        event: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<u64>,
        text: String,
    },
    /// What a rule answered. `of` is the id of the line of chat that it answered.
    Rule {
        slot: String,
        effects: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<String>,
    },
    /// Why a rule's answer was dropped.
    Fault {
        slot: String,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<String>,
    },
    /// What an output shows now.
    Output { name: String, text: Option<String> },
    /// What a stream is now, and since when in milliseconds since 1970.
    Stream { state: String, since: Option<u64> },
    /// So many entries were missed.
    Missed { entries: u64 },
    /// Of a newer heatd.
    #[serde(other)]
    Unknown,
}

/// An emote in a text: where it stands, from and to behind, in code points, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EmotePlace {
    pub(crate) from: usize,
    pub(crate) to: usize,
    #[serde(flatten)]
    pub(crate) emote: EmoteId,
}

/// An emote, by who defined it and by its id there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct EmoteId {
    pub(crate) provider: String,
    pub(crate) id: String,
}

/// A line of chat. What there is none of is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ChatEntry {
    /// Twitch's id of it; empty where it is not told.
    pub(crate) id: String,
    /// When, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<u64>,
    pub(crate) name: String,
    pub(crate) login: String,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) badges: Vec<String>,
    /// The colour of the name, as `#FF69B4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) colour: Option<String>,
    /// The emotes in the text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) emotes: Vec<EmotePlace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shared_from: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) bits: u32,
    /// The person's first line in the channel ever.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) first: bool,
    /// Moderators have removed it.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) removed: bool,
}

fn is_zero(bits: &u32) -> bool {
    *bits == 0
}

fn is_false(value: &bool) -> bool {
    !*value
}

impl Entry {
    /// None for what is no entry.
    pub(crate) fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_heatd_writes_them() {
        let read = |json| Entry::read(json).unwrap();
        let chat =
            read(r#"{"channel":"seaside","kind":"chat","name":"Ann","login":"ann","text":"hi"}"#);
        assert_eq!(chat.channel, "seaside");
        assert!(matches!(chat.what, What::Chat { .. }));
        let output = read(r#"{"channel":"seaside","kind":"output","name":"heat","text":null}"#);
        assert_eq!(output.what, What::Output { name: "heat".to_owned(), text: None });
        assert_eq!(read(r#"{"channel":"x","kind":"tomorrow","more":1}"#).what, What::Unknown);
        assert_eq!(Entry::read("{"), None);
    }
}
