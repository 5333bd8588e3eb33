//! `Send Chat Message`: says a line in chat, as an account.

use hyper::Method;
use serde::Deserialize;
use serde_json::json;

use super::client::{Call, Helix, HelixError, HelixPage};

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct SentLine {
    /// Twitch's id of it; empty when it was not sent.
    #[serde(default)]
    pub(crate) message_id: String,
    pub(crate) is_sent: bool,
    /// Why it was not sent.
    drop_reason: Option<DropReason>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct DropReason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl SentLine {
    /// Why Twitch has not sent it, if it has not.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.is_sent {
            return None;
        }
        let unknown = || "it does not say why".to_owned();
        Some(self.drop_reason.as_ref().map_or_else(unknown, |it| match it.message.as_str() {
            "" => it.code.clone(),
            message => message.to_owned(),
        }))
    }
}

impl Helix {
    /// Says a line in a channel, by the channel's id; in answer to a message, if there is one. `sender` is the id of the account.
    pub(crate) async fn say(
        &self,
        account: &str,
        (channel, sender): (&str, &str),
        text: &str,
        reply_to: Option<&str>,
    ) -> Result<SentLine, HelixError> {
        let mut body = json!({ "broadcaster_id": channel, "sender_id": sender, "message": text });
        if let Some(message) = reply_to {
            body["reply_parent_message_id"] = message.into();
        }
        let (method, path) = (Method::POST, "chat/messages");
        let page: HelixPage<SentLine> =
            self.call(Call { account, method, path, query: &[], body: Some(body) }).await?;
        page.data.into_iter().next().ok_or_else(|| {
            HelixError::Unreachable("its answer does not say what became of the line".to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_line_was_not_sent_is_in_the_answer() {
        let read = |json: &str| serde_json::from_str::<SentLine>(json).unwrap().problem();
        assert_eq!(read(r#"{"message_id":"m","is_sent":true,"new":1}"#), None);
        let held = r#"{"message_id":"","is_sent":false,"drop_reason":{"code":"automod_held","message":"Held for review"}}"#;
        assert_eq!(read(held).as_deref(), Some("Held for review"));
        assert_eq!(read(r#"{"is_sent":false,"drop_reason":{"code":"x"}}"#).as_deref(), Some("x"));
        assert_eq!(read(r#"{"is_sent":false}"#).as_deref(), Some("it does not say why"));
    }
}
