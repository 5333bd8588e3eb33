//! What EventSub says on a WebSocket: one text, one frame. Pure. Facts: dev.twitch.tv/docs/eventsub/websocket-reference.
//!
//! Read leniently: only what tells frames apart has to be there, and a kind that is new is a frame that is not known, never an error.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// The shortest and the longest time between two signs of life that are believed, in seconds. Twitch's own are 10 and 600.
const KEEPALIVE: std::ops::RangeInclusive<u64> = 1..=600;

/// What the server says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Frame {
    /// The first message: subscriptions go to this session.
    Welcome(WelcomedSession),
    /// Nothing has happened.
    Keepalive,
    /// Something has happened.
    Notification(Notification),
    /// The server will close the connection; the next one is at this address, and has the subscriptions already.
    Reconnect(String),
    /// A subscription to what happens in a channel, by its id, has ended, and why.
    Revocation { kind: String, channel: String, why: String },
    /// A kind that is not known, or a text that is no message.
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WelcomedSession {
    pub(super) id: String,
    /// How long the server is silent at most.
    pub(super) keepalive: Duration,
    /// When the server said so, in milliseconds since 1970.
    pub(super) at: Option<u64>,
}

/// Something that has happened, as Twitch tells it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Notification {
    /// The same message sent twice has the same.
    pub(super) id: String,
    /// When it was sent, in milliseconds since 1970. None: it does not say so.
    pub(super) at: Option<u64>,
    /// Such as `channel.follow`.
    pub(super) kind: String,
    pub(super) version: String,
    pub(super) event: Value,
}

#[derive(Deserialize)]
struct FrameEnvelope {
    metadata: Metadata,
    #[serde(default)]
    payload: Value,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    message_id: String,
    message_type: String,
    #[serde(default)]
    message_timestamp: String,
    #[serde(default)]
    subscription_type: String,
    #[serde(default)]
    subscription_version: String,
}

pub(super) fn read(text: &str) -> Frame {
    let Ok(FrameEnvelope { metadata, payload }) = serde_json::from_str(text) else {
        return Frame::Unknown("no message".to_owned());
    };
    let session = &payload["session"];
    let subscription = &payload["subscription"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match metadata.message_type.as_str() {
        "session_welcome" if session["id"].is_string() => {
            let seconds = session["keepalive_timeout_seconds"].as_u64().unwrap_or(10);
            let seconds = seconds.clamp(*KEEPALIVE.start(), *KEEPALIVE.end());
            Frame::Welcome(WelcomedSession {
                id: text(&session["id"]),
                keepalive: Duration::from_secs(seconds),
                at: milliseconds(&metadata.message_timestamp),
            })
        }
        "session_keepalive" => Frame::Keepalive,
        "session_reconnect" if session["reconnect_url"].is_string() => {
            Frame::Reconnect(text(&session["reconnect_url"]))
        }
        "notification" => Frame::Notification(Notification {
            id: metadata.message_id,
            at: milliseconds(&metadata.message_timestamp),
            kind: metadata.subscription_type,
            version: metadata.subscription_version,
            event: payload["event"].clone(),
        }),
        "revocation" => Frame::Revocation {
            kind: text(&subscription["type"]),
            channel: ["broadcaster_user_id", "to_broadcaster_user_id"]
                .map(|field| text(&subscription["condition"][field]))
                .into_iter()
                .find(|id| !id.is_empty())
                .unwrap_or_default(),
            why: text(&subscription["status"]),
        },
        other => Frame::Unknown(format!("message {other:?}")),
    }
}

/// A time of RFC 3339 as milliseconds since 1970.
pub(super) fn milliseconds(text: &str) -> Option<u64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn frame(kind: &str, payload: Value) -> Frame {
        let metadata = json!({ "message_id": "m1", "message_type": kind, "message_timestamp": "2026-11-30T20:00:00.5Z",
            "subscription_type": "channel.follow", "subscription_version": "2" });
        read(&json!({ "metadata": metadata, "payload": payload }).to_string())
    }

    #[test]
    fn each_kind_of_frame_is_known() {
        let session =
            json!({ "session": { "id": "s1", "keepalive_timeout_seconds": 30, "new": 1 } });
        let at = milliseconds("2026-11-30T20:00:00.5Z");
        let keepalive = Duration::from_secs(30);
        let welcome = WelcomedSession { id: "s1".to_owned(), keepalive, at };
        assert_eq!(frame("session_welcome", session), Frame::Welcome(welcome));
        assert_eq!(frame("session_keepalive", json!({})), Frame::Keepalive);
        let to = json!({ "session": { "id": "s1", "reconnect_url": "wss://x/?y" } });
        assert_eq!(frame("session_reconnect", to), Frame::Reconnect("wss://x/?y".to_owned()));
        let event = json!({ "user_id": "7" });
        let told = frame("notification", json!({ "event": event }));
        let Frame::Notification(told) = told else { panic!("{told:?}") };
        assert_eq!((told.id.as_str(), told.kind.as_str()), ("m1", "channel.follow"));
        assert_eq!(told.event["user_id"], "7");
        assert_eq!(told.at, Some(1_796_068_800_500));
        let ended = json!({ "subscription": { "id": "u1", "type": "channel.follow", "status": "user_removed", "condition": { "broadcaster_user_id": "11" } } });
        let ended = frame("revocation", ended);
        let text = |text: &str| text.to_owned();
        let (kind, channel, why) = (text("channel.follow"), text("11"), text("user_removed"));
        assert_eq!(ended, Frame::Revocation { kind, channel, why });
    }

    #[test]
    fn what_is_no_frame_is_unknown_and_never_an_error() {
        for text in
            ["", "x", "{}", "[]", "{\"metadata\":{}}", "{\"metadata\":{\"message_type\":7}}", "\0"]
        {
            assert!(matches!(read(text), Frame::Unknown(_)), "{text}");
        }
        assert!(matches!(frame("session_welcome", json!({})), Frame::Unknown(_)));
        assert!(matches!(frame("session_reconnect", json!({ "session": {} })), Frame::Unknown(_)));
        assert_eq!(frame("tomorrow", json!({})), Frame::Unknown("message \"tomorrow\"".to_owned()));
        assert_eq!(milliseconds("yesterday"), None);
    }
}
