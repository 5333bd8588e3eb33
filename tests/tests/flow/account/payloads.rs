//! Events as EventSub sends them, in the shapes of dev.twitch.tv/docs/eventsub/eventsub-reference.

use heat_tests::twitch_api::rfc3339;
use serde_json::{Value, json};

/// The channel, and who does it.
fn of(id: &str, login: &str, mut event: Value) -> Value {
    for (name, value) in [
        ("broadcaster_user_id", "11"),
        ("broadcaster_user_login", "seaside"),
        ("broadcaster_user_name", "Seaside"),
        ("user_id", id),
        ("user_login", login),
        ("user_name", login),
    ] {
        event[name] = value.into();
    }
    event
}

pub(super) fn follow(id: &str) -> Value {
    of(id, &format!("f{id}"), json!({ "followed_at": rfc3339(1_796_068_800_500) }))
}

pub(super) fn subscribe(id: &str) -> Value {
    of(id, &format!("f{id}"), json!({ "tier": "1000", "is_gift": false }))
}

pub(super) fn gift(id: &str, total: u32) -> Value {
    of(
        id,
        &format!("f{id}"),
        json!({ "total": total, "tier": "1000", "cumulative_total": 284, "is_anonymous": false }),
    )
}

pub(super) fn power_up(id: &str, bits: u32) -> Value {
    of(
        id,
        &format!("f{id}"),
        json!({ "bits": bits, "type": "power_up", "power_up": { "type": "celebration" }, "message": null }),
    )
}

pub(super) fn redemption(id: &str, own: &str) -> Value {
    of(
        id,
        &format!("f{id}"),
        json!({ "id": own, "user_input": "now", "status": "unfulfilled", "redeemed_at": rfc3339(1_796_068_800_500),
            "reward": { "id": "w1", "title": "Water", "cost": 100, "prompt": "drink" } }),
    )
}

pub(super) fn raid(id: &str, viewers: u32) -> Value {
    json!({
        "from_broadcaster_user_id": id, "from_broadcaster_user_login": format!("f{id}"), "from_broadcaster_user_name": format!("F{id}"),
        "to_broadcaster_user_id": "11", "to_broadcaster_user_login": "seaside", "to_broadcaster_user_name": "Seaside", "viewers": viewers,
    })
}

pub(super) fn train(level: u32) -> Value {
    json!({
        "id": "t1", "broadcaster_user_id": "11", "broadcaster_user_login": "seaside", "broadcaster_user_name": "Seaside", "total": 700, "progress": 200,
        "goal": 1000, "level": level, "top_contributions": [], "type": "regular", "is_shared_train": false, "shared_train_participants": null,
        "started_at": rfc3339(1_796_068_800_500), "expires_at": rfc3339(1_796_069_100_500), "all_time_high_level": 4, "all_time_high_total": 2845,
    })
}

pub(super) fn online() -> Value {
    json!({ "id": "9001", "broadcaster_user_id": "11", "broadcaster_user_login": "seaside", "broadcaster_user_name": "Seaside", "type": "live", "started_at": rfc3339(1_796_068_800_500) })
}

pub(super) fn channel() -> Value {
    json!({ "broadcaster_user_id": "11", "broadcaster_user_login": "seaside", "broadcaster_user_name": "Seaside" })
}

pub(super) fn update(title: &str, category: &str) -> Value {
    let mut event = channel();
    event["title"] = title.into();
    event["category_name"] = category.into();
    event["language"] = "en".into();
    event
}

pub(super) fn line(message: &str, id: &str, text: &str) -> Value {
    let mut event = channel();
    for (name, value) in [
        ("chatter_user_id", json!(id)),
        ("chatter_user_login", json!(format!("f{id}"))),
        ("chatter_user_name", json!(format!("F{id}"))),
        ("message_id", json!(message)),
        (
            "message",
            json!({ "text": text, "fragments": [{ "type": "text", "text": text, "cheermote": null, "emote": null, "mention": null }] }),
        ),
        ("badges", json!([])),
        ("message_type", json!("text")),
    ] {
        event[name] = value;
    }
    event
}

pub(super) fn deleted(message: &str, login: &str) -> Value {
    let mut event = channel();
    event["message_id"] = message.into();
    event["target_user_id"] = "7".into();
    event["target_user_login"] = login.into();
    event["target_user_name"] = login.into();
    event
}
