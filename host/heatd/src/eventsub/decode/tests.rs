//! What the examples of Twitch's documentation, and frames that others have recorded, become. Small ones stand here; the recorded ones are read where there are
//! some.

use std::collections::BTreeMap;

use heat_tests::recordings::Recordings;
use serde_json::{Value, json};

use super::*;
use crate::eventsub::frame::{Frame, read};

fn notification(kind: &str, event: Value) -> Notification {
    let (kind, version) = (kind.to_owned(), "1".to_owned());
    Notification { id: "n1".to_owned(), at: Some(5), kind, version, event }
}

fn happening(kind: &str, event: Value) -> Happening {
    match told(&notification(kind, event)) {
        Decoded::Event { what, .. } => *what,
        other => panic!("{other:?}"),
    }
}

/// The event with the channel and the person that most kinds have.
fn of_ann(mut event: Value) -> Value {
    let fields = json!({ "broadcaster_user_id": "11", "user_id": "7", "user_login": "ann", "user_name": "Ann" });
    for (name, value) in fields.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

#[test]
fn a_power_up_is_bits_without_a_line_and_a_redemption_has_its_own_id() {
    let bits = of_ann(json!({ "bits": 250, "type": "power_up", "message": null }));
    let Happening::Cheer(cheer) = happening("channel.bits.use", bits) else { panic!() };
    assert_eq!((cheer.bits, cheer.text.as_str()), (250, ""));
    let anonymous = json!({ "broadcaster_user_id": "11", "is_anonymous": true, "user_id": null, "message": "hi", "bits": 5 });
    let Happening::Cheer(cheer) = happening("channel.cheer", anonymous) else { panic!() };
    assert_eq!((cheer.person, cheer.text.as_str()), (None, "hi"));
    let taken = of_ann(
        json!({ "id": "r9", "user_input": "now", "reward": { "id": "w1", "title": "Water", "cost": 100 } }),
    );
    let kind = "channel.channel_points_custom_reward_redemption.add";
    let Decoded::Event { id, what, .. } = told(&notification(kind, taken)) else { panic!() };
    let Happening::Redemption(taken) = *what else { panic!() };
    assert_eq!((id.as_str(), taken.reward.as_str(), taken.cost), ("r9", "Water", 100));
}

#[test]
fn a_gift_counts_once_and_what_it_gives_not_at_all() {
    let given = of_ann(json!({ "tier": "2000", "is_gift": true }));
    assert_eq!(
        told(&notification("channel.subscribe", given)),
        Decoded::Passed("the gift is told by itself")
    );
    let gift = of_ann(json!({ "tier": "3000", "total": 5, "is_anonymous": false }));
    let Happening::Gift(gift) = happening("channel.subscription.gift", gift) else { panic!() };
    assert_eq!((gift.count, gift.person.is_some()), (5, true));
    // One without a number is not known.
    let bad = of_ann(json!({ "tier": "1000" }));
    assert_eq!(told(&notification("channel.subscription.gift", bad)), Decoded::Unknown);
}

#[test]
fn a_line_has_the_id_that_it_has_in_chat() {
    let event = json!({
        "broadcaster_user_id": "11", "chatter_user_id": "7", "chatter_user_login": "ann", "chatter_user_name": "Ann",
        "message_id": "l1",
        "message": { "text": "@bob 😂 Kappa", "fragments": [
            { "type": "mention", "text": "@bob" }, { "type": "text", "text": " 😂 " }, { "type": "emote", "text": "Kappa", "emote": { "id": "25" } } ] },
        "badges": [ { "set_id": "moderator", "id": "1" }, { "set_id": "subscriber", "id": "2012", "info": "12" } ],
        "reply": { "parent_message_id": "p", "parent_user_login": "bob" },
    });
    let Decoded::Event { id, what, .. } = told(&notification("channel.chat.message", event)) else {
        panic!()
    };
    let Happening::Chat(line) = *what else { panic!() };
    assert_eq!(
        (id.as_str(), line.text.as_str(), line.reply_to.as_deref()),
        ("l1", "😂 Kappa", Some("bob"))
    );
    assert!(
        line.standing.moderator && line.standing.subscription == Some(heat_engine::wit::Tier::Two)
    );
    assert_eq!((line.emotes[0].start, line.emotes[0].end), (2, 7));
}

#[test]
fn what_moderators_remove_and_what_a_stream_is_called_is_told() {
    let gone =
        json!({ "broadcaster_user_id": "11", "message_id": "l1", "target_user_login": "ann" });
    let channel = "11".to_owned();
    assert_eq!(
        told(&notification("channel.chat.message_delete", gone)),
        Decoded::Deleted { channel: channel.clone(), message: Some("l1".to_owned()), person: None }
    );
    let update = json!({ "broadcaster_user_id": "11", "title": "Pie", "category_name": "Baking" });
    let (title, category) = ("Pie".to_owned(), "Baking".to_owned());
    assert_eq!(
        told(&notification("channel.update", update)),
        Decoded::Title { channel, title, category }
    );
}

#[test]
fn what_is_not_known_or_lacks_what_it_needs_is_unknown() {
    for (kind, event) in [
        ("channel.tomorrow", of_ann(json!({}))),
        ("channel.follow", json!({ "broadcaster_user_id": "11" })),
        ("channel.follow", Value::Null),
        (
            "channel.raid",
            json!({ "to_broadcaster_user_id": "11", "from_broadcaster_user_id": "9", "viewers": -1 }),
        ),
        ("channel.chat.message", json!({ "broadcaster_user_id": "11" })),
    ] {
        assert_eq!(told(&notification(kind, event)), Decoded::Unknown, "{kind}");
    }
}

/// What a kind of notification becomes, in a word.
fn word(told: &Decoded) -> String {
    match told {
        Decoded::Event { what, .. } => {
            let event = heat_engine::wit::Event {
                id: String::new(),
                channel: String::new(),
                at: 0,
                what: (**what).clone(),
            };
            heat_engine::kind_of(&event).to_owned()
        }
        Decoded::Deleted { .. } => "removal".to_owned(),
        Decoded::Title { .. } => "title".to_owned(),
        Decoded::Passed(_) => "passed".to_owned(),
        Decoded::Unknown => "unknown".to_owned(),
    }
}

/// What every kind becomes that heatd subscribes to.
const KNOWN: [(&str, &str); 21] = [
    ("channel.ban", "removal"),
    ("channel.bits.use", "cheer"),
    ("channel.channel_points_automatic_reward_redemption.add", "redemption"),
    ("channel.channel_points_custom_reward_redemption.add", "redemption"),
    ("channel.chat.clear", "removal"),
    ("channel.chat.clear_user_messages", "removal"),
    ("channel.chat.message", "chat"),
    ("channel.chat.message_delete", "removal"),
    ("channel.chat.notification", "passed"),
    ("channel.cheer", "cheer"),
    ("channel.follow", "follow"),
    ("channel.hype_train.begin", "hype-train"),
    ("channel.hype_train.end", "hype-train"),
    ("channel.hype_train.progress", "hype-train"),
    ("channel.raid", "raid"),
    ("channel.subscribe", "subscription"),
    ("channel.subscription.gift", "gift"),
    ("channel.subscription.message", "subscription"),
    ("channel.update", "title"),
    ("stream.offline", "stream-end"),
    ("stream.online", "stream-start"),
];

/// Kinds that tell rules nothing, wherever they stand.
const NEITHER: [&str; 4] = [
    "channel.subscription.end",
    "channel.shared_chat.begin",
    "channel.shared_chat.update",
    "channel.shared_chat.end",
];

/// All notifications of the recordings, each as one frame.
fn recorded(recordings: &Recordings) -> anyhow::Result<Vec<(String, Frame)>> {
    let mut frames = Vec::new();
    for file in ["chatterino_frames.ndjson", "twitch-cli_ws_capture.ndjson"] {
        let text = std::fs::read_to_string(recordings.file("eventsub", file)?)?;
        frames.extend(text.lines().map(|line| (file.to_owned(), read(line))));
    }
    // Payloads without an envelope, and bodies of events alone.
    let text = std::fs::read_to_string(recordings.file("eventsub", "twitch_api_payloads.ndjson")?)?;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line)?;
        let Some(event) = row["json"].get("event") else {
            // The beginning and the end of a webhook: a socket has other frames for that.
            frames.push((line.to_owned(), Frame::Keepalive));
            continue;
        };
        let subscription = &row["json"]["subscription"];
        let name = subscription["type"].as_str().unwrap_or_default();
        let notification = notification(name, event.clone());
        frames.push((row["file"].to_string(), Frame::Notification(notification)));
    }
    let text =
        std::fs::read_to_string(recordings.file("eventsub", "chatterino_event_bodies.ndjson")?)?;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line)?;
        let case = row["case"].as_str().unwrap_or_default().to_owned();
        let kind = case.split('/').nth(1).unwrap_or_default();
        let notification = notification(kind, row["input"].clone());
        frames.push((case, Frame::Notification(notification)));
    }
    Ok(frames)
}

#[test]
fn every_recorded_notification_becomes_what_the_table_says() -> anyhow::Result<()> {
    let Some(recordings) = Recordings::find("notifications of EventSub") else { return Ok(()) };
    let frames = recorded(&recordings)?;
    assert_eq!(frames.len(), 24 + 45 + 118 + 78);
    let mut became: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for (place, frame) in &frames {
        match frame {
            Frame::Notification(notification) => {
                let word = word(&told(notification));
                let kinds = became.entry(notification.kind.clone()).or_default();
                *kinds.entry(word).or_default() += 1;
            }
            Frame::Welcome(_) | Frame::Reconnect(_) | Frame::Keepalive => {}
            other => panic!("{place}: {other:?}"),
        }
    }
    for (kind, words) in &became {
        let expected = KNOWN.iter().find(|(it, _)| it == kind).map(|(_, word)| *word);
        let is_neither = NEITHER.contains(&kind.as_str());
        for word in words.keys() {
            let fits = match expected {
                // A subscription that was given is told by its gift.
                Some("subscription") => word == "subscription" || word == "passed",
                Some(expected) => word == expected,
                None if is_neither => word == "passed",
                None => word == "unknown",
            };
            assert!(fits, "{kind} becomes {words:?}");
        }
    }
    // The table is about what is there.
    let missing: Vec<_> = KNOWN.iter().filter(|(kind, _)| !became.contains_key(*kind)).collect();
    assert!(missing.is_empty(), "there is no example of {missing:?}: {:?}", became.keys());
    Ok(())
}
