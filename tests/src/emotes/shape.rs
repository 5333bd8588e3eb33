//! Answers in the shapes of the real providers, with things beside them that nobody needs.

use serde_json::{Value, json};

/// 7TV's answer for a channel since 3 August 2026: it names the set, which is asked for by its id.
pub fn seventv_user_of_set(id: &str, set: &str, user: &str) -> Value {
    let mut answer = seventv_user(id, set, user, &[]);
    answer["emote_set_id"] = set.into();
    answer["emote_set"] = Value::Null;
    answer
}

/// 7TV's answer for a channel until then, with the set in it. `emotes` has names and ids; 7TV leaves an empty list out.
pub fn seventv_user(id: &str, set: &str, user: &str, emotes: &[(&str, &str)]) -> Value {
    json!({
        "id": id, "platform": "TWITCH", "username": "somebody", "linked_at": 1_622_031_401_000_u64, "emote_set_id": null,
        "emote_set": seventv_global(set, emotes),
        "user": { "id": user, "username": "somebody", "connections": [{ "id": id, "emote_set": { "id": "another" } }] },
    })
}

/// 7TV's answer for a set.
pub fn seventv_global(set: &str, emotes: &[(&str, &str)]) -> Value {
    let mut answer = json!({
        "id": set, "name": "Tabula rasa", "flags": 0, "tags": [], "immutable": false, "emote_count": emotes.len(), "owner": null,
    });
    if !emotes.is_empty() {
        answer["emotes"] = emotes.iter().map(|(name, id)| seventv_emote(name, id)).collect();
    }
    answer
}

/// One emote of a set of 7TV, as in its answers and in its events.
pub(super) fn seventv_emote(name: &str, id: &str) -> Value {
    json!({
        "id": id, "name": name, "flags": 1, "timestamp": 1_672_506_026_185_u64, "actor_id": null,
        "data": { "id": id, "name": format!("{name}Base"), "listed": true, "host": { "url": "//cdn", "files": [] } },
    })
}

/// BetterTTV's answer for a channel: its own emotes, and those of others that it shares.
pub fn bttv_channel(own: &[(&str, &str)], shared: &[(&str, &str)]) -> Value {
    json!({ "id": "x", "bots": [], "channelEmotes": bttv_global(own), "sharedEmotes": bttv_global(shared) })
}

/// BetterTTV's answer for everybody.
pub fn bttv_global(emotes: &[(&str, &str)]) -> Value {
    let emote = |(name, id): &(&str, &str)| json!({ "id": id, "code": name, "imageType": "png", "animated": false });
    emotes.iter().map(emote).collect()
}

/// FrankerFaceZ's answer for a channel. Its ids are numbers.
pub fn ffz_room(id: &str, emotes: &[(&str, u64)]) -> Value {
    json!({ "room": { "twitch_id": id, "set": 77 }, "sets": { "77": ffz_set(77, emotes) } })
}

/// FrankerFaceZ's answer for everybody; the second set belongs to a few people.
pub fn ffz_global(emotes: &[(&str, u64)], of_a_few: &[(&str, u64)]) -> Value {
    json!({
        "default_sets": [3], "sets": { "3": ffz_set(3, emotes), "4330": ffz_set(4330, of_a_few) },
        "users": { "4330": ["somebody"] },
    })
}

fn ffz_set(id: u64, emotes: &[(&str, u64)]) -> Value {
    let emote = |(name, id): &(&str, u64)| json!({ "id": id, "name": name, "height": 32, "urls": { "1": "https://cdn" }, "modifier": false });
    let emotes: Vec<Value> = emotes.iter().map(emote).collect();
    json!({ "id": id, "_type": 1, "title": "Emotes", "emoticons": emotes })
}
