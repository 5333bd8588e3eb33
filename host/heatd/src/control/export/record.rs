//! Records of the log as JSON. The form is promised in docs/export.md: it does not follow from the types, so that those may change.

use heat_engine::wit::{
    ChatLine, Emote, EmoteProvider, Event, Fave, Happening, HypeTrainStage, Person, Standing, Tier,
};
use heat_engine::{CountedFave, Given, Imported, Record, kind_of};
use serde_json::{Map, Value, json};

use crate::control::settings::as_json;

/// One line.
pub(super) fn line(record: &Record) -> Value {
    let mut line = match record {
        Record::Event { event, .. } => json!({ "kind": "event", "event": event_of(event) }),
        Record::Timer { slot, name, .. } => json!({ "kind": "timer", "slot": slot, "name": name }),
        Record::Fault { slot, digest, call, cause, .. } => json!({
            "kind": "fault", "slot": slot, "digest": digest.to_string(), "call": call, "cause": cause,
        }),
        Record::Faves { event, faves, .. } => json!({
            "kind": "faves", "event": event, "faves": faves.iter().map(counted).collect::<Vec<_>>(),
        }),
        Record::Undone { events, without, taken, given, .. } => json!({
            "kind": "undone", "events": events, "without": without.map(|it| it.to_string()),
            "taken": taken.iter().map(fave).collect::<Vec<_>>(), "given": given.iter().map(fave).collect::<Vec<_>>(),
        }),
        Record::Retried { slot, event, .. } => {
            json!({ "kind": "retried", "slot": slot, "event": event_of(event) })
        }
        Record::Handed { slot, entries, alarms, shown, .. } => {
            let state =
                entries.iter().map(|it| json!({ "key": it.key, "value_hex": hex(&it.value) }));
            let timers = alarms.iter().map(|(name, at)| json!({ "name": name, "at": at }));
            json!({
                "kind": "handed", "slot": slot, "state": state.collect::<Vec<_>>(),
                "timers": timers.collect::<Vec<_>>(), "shown": shown,
            })
        }
        Record::Chain { slots, rolled_back, removed, .. } => {
            let slots = slots.iter().map(|(slot, digest, settings)| {
                let settings: Map<String, Value> = settings
                    .iter()
                    .map(|(name, value)| (name.clone(), as_json(&Given::of(value))))
                    .collect();
                json!({ "slot": slot, "digest": digest.to_string(), "settings": settings })
            });
            json!({ "kind": "chain", "slots": slots.collect::<Vec<_>>(), "rolled_back": rolled_back, "removed": removed })
        }
        Record::Imported { source, counts, .. } => json!({
            "kind": "imported", "source": source, "counts": counts.iter().map(imported).collect::<Vec<_>>(),
        }),
        Record::Emotes { provider, added, removed, .. } => {
            let named = |emotes: &[(String, String)]| -> Vec<Value> {
                emotes.iter().map(|(name, id)| json!({ "name": name, "id": id })).collect()
            };
            json!({
                "kind": "emotes", "provider": provider_name(*provider),
                "added": named(added), "removed": named(removed),
            })
        }
        Record::Gap { from, why, .. } => json!({ "kind": "gap", "from": from, "why": why }),
        Record::Joined { person: who, .. } => json!({ "kind": "joined", "person": person(who) }),
    };
    line["line"] = "record".into();
    line["channel"] = record.channel().into();
    line["at"] = record.at().into();
    line
}

/// A weight as people say it.
pub(super) fn weight(thousandths: i64) -> Value {
    match thousandths % 1000 {
        0 => Value::from(thousandths / 1000),
        _ => Value::from(thousandths as f64 / 1000.0),
    }
}

pub(super) fn person(person: &Person) -> Value {
    json!({ "id": person.id, "login": person.login, "name": person.name })
}

fn maybe(person_or_none: Option<&Person>) -> Value {
    person_or_none.map_or(Value::Null, person)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn counted(it: &CountedFave) -> Value {
    let mut line = fave(&it.fave);
    line["slot"] = it.slot.as_str().into();
    line["digest"] = it.digest.to_string().into();
    line
}

fn fave(it: &Fave) -> Value {
    json!({
        "person": person(&it.person), "standing": it.standing.as_ref().map(standing), "bits": it.bits, "item": it.item,
        "weight": weight(it.weight),
    })
}

fn imported(it: &Imported) -> Value {
    json!({ "person": person(&it.person), "item": it.item, "faves": it.faves, "weight": weight(it.weight) })
}

fn event_of(event: &Event) -> Value {
    let mut told = match &event.what {
        Happening::Chat(line) => chat(line),
        Happening::Command(command) => {
            let mut told = chat(&command.line);
            told["command"] = command.name.as_str().into();
            told["arguments"] = command.arguments.as_str().into();
            told
        }
        Happening::Mqtt(it) => {
            let mut told = json!({ "topic": it.topic, "retained": it.retained });
            match std::str::from_utf8(&it.payload) {
                Ok(text) => told["payload"] = text.into(),
                Err(_) => told["payload_hex"] = hex(&it.payload).into(),
            }
            told
        }
        Happening::Subscription(it) => json!({
            "person": person(&it.person), "tier": tier(it.tier), "months": it.months, "renewed": it.renewed, "text": it.text,
        }),
        Happening::Gift(it) => json!({
            "person": maybe(it.person.as_ref()), "tier": tier(it.tier), "count": it.count, "receiver": maybe(it.receiver.as_ref()),
        }),
        Happening::Cheer(it) => {
            json!({ "person": maybe(it.person.as_ref()), "bits": it.bits, "text": it.text })
        }
        Happening::Raid(it) => json!({ "person": person(&it.person), "viewers": it.viewers }),
        Happening::Follow(who) => json!({ "person": person(who) }),
        Happening::Redemption(it) => json!({
            "person": person(&it.person), "reward": it.reward, "reward_id": it.reward_id, "cost": it.cost, "text": it.text,
        }),
        Happening::HypeTrain(it) => json!({
            "train": it.train, "stage": stage(it.stage), "level": it.level, "points": it.points, "goal": it.goal,
        }),
        Happening::StreamStart | Happening::StreamEnd => json!({}),
        Happening::Timer(name) => json!({ "name": name }),
        Happening::Fave(it) => fave(it),
    };
    told["id"] = event.id.as_str().into();
    told["at"] = event.at.into();
    told["kind"] = kind_of(event).into();
    told
}

fn chat(line: &ChatLine) -> Value {
    json!({
        "message": line.message, "person": person(&line.person), "standing": standing(&line.standing), "text": line.text,
        "emotes": line.emotes.iter().map(emote).collect::<Vec<_>>(), "bits": line.bits, "reply_to": line.reply_to,
        "shared_from": line.shared_from,
    })
}

fn standing(it: &Standing) -> Value {
    json!({
        "broadcaster": it.broadcaster, "moderator": it.moderator, "vip": it.vip, "subscription": it.subscription.map(tier),
        "first_message": it.first_message, "returning": it.returning,
    })
}

fn emote(it: &Emote) -> Value {
    let provider = provider_name(it.provider);
    json!({ "name": it.name, "id": it.id, "provider": provider, "start": it.start, "end": it.end })
}

fn provider_name(provider: EmoteProvider) -> &'static str {
    match provider {
        EmoteProvider::Twitch => "twitch",
        EmoteProvider::FrankerFaceZ => "franker-face-z",
        EmoteProvider::BetterTtv => "better-ttv",
        EmoteProvider::SevenTv => "seven-tv",
    }
}

fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Prime => "prime",
        Tier::One => "one",
        Tier::Two => "two",
        Tier::Three => "three",
    }
}

fn stage(stage: HypeTrainStage) -> &'static str {
    match stage {
        HypeTrainStage::Begin => "begin",
        HypeTrainStage::Progress => "progress",
        HypeTrainStage::End => "end",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_form_that_is_promised() {
        let person = Person { id: "7".into(), login: "ann".into(), name: "Ann".into() };
        let what = Happening::Cheer(heat_engine::wit::Cheer {
            person: Some(person.clone()),
            bits: 5,
            text: "go".into(),
        });
        let event = Event { id: "e-1".into(), channel: "seaside".into(), at: 3, what };
        let expected = json!({
            "line": "record", "channel": "seaside", "at": 4, "kind": "event",
            "event": {
                "id": "e-1", "at": 3, "kind": "cheer", "bits": 5, "text": "go",
                "person": { "id": "7", "login": "ann", "name": "Ann" },
            },
        });
        assert_eq!(line(&Record::Event { now: 4, event: Box::new(event) }), expected);
        let it = Imported { person, item: "pie".into(), faves: 2, weight: 2500 };
        let (channel, source) = ("seaside".to_owned(), "mongo".to_owned());
        let told = line(&Record::Imported { now: 4, channel, source, counts: vec![it] });
        assert_eq!(told["counts"][0]["weight"], 2.5);
        assert_eq!((weight(-3000), weight(1)), (json!(-3), json!(0.001)));
    }
}
