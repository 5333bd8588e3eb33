//! Fuzz targets of EventSub: any text to a frame, and a frame to what becomes of it.

use heat_engine::wit::Happening;
use heat_tests::fuzz::Target;

use super::decode::{Decoded, told};
use super::frame::{Frame, read};

const WORDS: &[&str] = &[
    "{\"metadata\":{\"message_id\":\"m\",\"message_type\":\"notification\",\"message_timestamp\":\"2026-11-30T20:00:00.5Z\",\"subscription_type\":\"",
    "\",\"subscription_version\":\"1\"},\"payload\":{\"event\":{",
    "}}}",
    "channel.follow",
    "channel.subscribe",
    "channel.subscription.gift",
    "channel.subscription.message",
    "channel.bits.use",
    "channel.raid",
    "channel.channel_points_custom_reward_redemption.add",
    "channel.hype_train.progress",
    "channel.chat.message",
    "channel.chat.message_delete",
    "stream.online",
    "\"broadcaster_user_id\":\"11\",",
    "\"to_broadcaster_user_id\":\"11\",",
    "\"from_broadcaster_user_id\":\"9\",",
    "\"user_id\":\"7\",",
    "\"chatter_user_id\":\"7\",",
    "\"user_login\":\"ann\",",
    "\"total\":5,",
    "\"total\":99999999999999999999,",
    "\"bits\":-1,",
    "\"level\":3,",
    "\"message_id\":\"x\",",
    "\"message\":{\"text\":\"a 😂 Kappa\",\"fragments\":[{\"text\":\"a 😂 \"},{\"text\":\"Kappa\",\"emote\":{\"id\":\"25\"}}]},",
    "\"reply\":{\"parent_message_id\":\"p\",\"parent_user_login\":\"bob\"},",
    "\"badges\":[{\"set_id\":\"subscriber\",\"id\":\"3012\"}],",
    "\"id\":\"r1\"",
    "null",
    "\\u0001ACTION ",
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "session_welcome",
    "session_reconnect",
];

const FRAME: Target = Target {
    name: "eventsub_frame",
    run: frames,
    seeds: &[
        br#"{"metadata":{"message_id":"m1","message_type":"notification","message_timestamp":"2026-11-30T20:00:00.5Z","subscription_type":"channel.follow","subscription_version":"2"},"payload":{"event":{"user_id":"7","user_login":"ann","user_name":"Ann","broadcaster_user_id":"11"}}}"#,
        br#"{"metadata":{"message_id":"m2","message_type":"notification","subscription_type":"channel.subscription.gift"},"payload":{"event":{"user_id":"7","broadcaster_user_id":"11","total":5,"tier":"2000","is_anonymous":false}}}"#,
        br#"{"metadata":{"message_id":"m3","message_type":"notification","subscription_type":"channel.chat.message"},"payload":{"event":{"broadcaster_user_id":"11","chatter_user_id":"7","chatter_user_login":"ann","chatter_user_name":"Ann","message_id":"l1","message":{"text":"@bob a Kappa","fragments":[{"text":"@bob"},{"text":" a "},{"text":"Kappa","emote":{"id":"25"}}]},"reply":{"parent_message_id":"p","parent_user_login":"bob"},"badges":[{"set_id":"subscriber","id":"3012"}]}}}"#,
        br#"{"metadata":{"message_id":"m4","message_type":"session_welcome"},"payload":{"session":{"id":"s1","keepalive_timeout_seconds":10}}}"#,
        br#"{"metadata":{"message_id":"m5","message_type":"session_reconnect"},"payload":{"session":{"id":"s1","reconnect_url":"wss://localhost/ws?id=1"}}}"#,
    ],
    words: WORDS,
    recorded: &[
        "eventsub/chatterino_frames.ndjson",
        "eventsub/twitch-cli_ws_capture.ndjson",
    ],
    inputs: 20_000,
};

fn frames(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Frame::Notification(notification) = read(&text) else { return };
    match told(&notification) {
        Decoded::Event { channel, what, .. } => {
            assert!(!channel.is_empty());
            holds(&what);
        }
        Decoded::Deleted { channel, .. } | Decoded::Title { channel, .. } => {
            assert!(!channel.is_empty());
        }
        Decoded::Passed(_) | Decoded::Unknown => {}
    }
}

/// What rules may rely on.
fn holds(what: &Happening) {
    match what {
        Happening::Follow(person) => assert!(!person.id.is_empty() && !person.login.is_empty()),
        Happening::Gift(gift) => assert!(gift.count > 0),
        Happening::Cheer(cheer) => assert!(cheer.bits > 0),
        Happening::HypeTrain(train) => assert!(train.level > 0),
        Happening::Chat(line) => {
            let length = line.text.chars().count() as u32;
            for emote in &line.emotes {
                assert!(emote.start < emote.end && emote.end <= length, "{line:?}");
            }
        }
        _ => {}
    }
}

#[test]
fn eventsub_frames_become_sound_events() {
    FRAME.check();
}
