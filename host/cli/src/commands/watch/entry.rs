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
    /// A line of chat. `id` is Twitch's id of it; empty where it is not told.
    Chat {
        #[serde(default)]
        id: String,
        name: String,
        login: String,
        text: String,
    },
    /// Moderators have removed a line, all lines of a person, or all.
    Removed { id: Option<String>, login: Option<String> },
    /// Anything else that happened, in a sentence.
    Event { event: String, text: String },
    /// What a rule answered.
    Rule { slot: String, effects: Vec<String> },
    /// Why a rule's answer was dropped.
    Fault { slot: String, text: String },
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
