//! What a moderator does to people and lines: `Ban User`, which is a timeout too, `Unban User` and `Delete Chat Messages`.

use hyper::Method;
use serde_json::json;

use super::client::{Call, Helix, HelixError};

impl Helix {
    /// Bans a person, or times them out for so many seconds (1 to 1,209,600). Everybody is named by id.
    pub(crate) async fn ban(
        &self,
        account: &str,
        (channel, moderator, person): (&str, &str, &str),
        seconds: Option<u32>,
        reason: &str,
    ) -> Result<(), HelixError> {
        let mut data = json!({ "user_id": person });
        if let Some(seconds) = seconds {
            data["duration"] = seconds.into();
        }
        if !reason.is_empty() {
            data["reason"] = reason.into();
        }
        let query = [("broadcaster_id", channel), ("moderator_id", moderator)];
        let (method, path, body) = (Method::POST, "moderation/bans", json!({ "data": data }));
        self.order(Call { account, method, path, query: &query, body: Some(body) }).await
    }

    /// Ends a ban or a timeout.
    pub(crate) async fn unban(
        &self,
        account: &str,
        (channel, moderator, person): (&str, &str, &str),
    ) -> Result<(), HelixError> {
        let query = [("broadcaster_id", channel), ("moderator_id", moderator), ("user_id", person)];
        let (method, path) = (Method::DELETE, "moderation/bans");
        self.order(Call { account, method, path, query: &query, body: None }).await
    }

    /// Deletes a line of chat. Twitch does so for six hours.
    pub(crate) async fn delete_line(
        &self,
        account: &str,
        (channel, moderator): (&str, &str),
        message: &str,
    ) -> Result<(), HelixError> {
        let query =
            [("broadcaster_id", channel), ("moderator_id", moderator), ("message_id", message)];
        let (method, path) = (Method::DELETE, "moderation/chat");
        self.order(Call { account, method, path, query: &query, body: None }).await
    }
}
