//! Effects of a guest: what is taken obeys role and limits, held against them once more in other words.

use heat_tests::fuzz::{Choices, Target};

use crate::contract::effects::{check_for, effect_line};
use crate::contract::interest::{check_filter, check_topic, matches};
use crate::contract::limits::Limits;
use crate::contract::{
    Alarm, ClipRequest, Delivery, Effect, Entry, Message, NewFave, Output, Person, Role,
};

const EFFECTS: Target = Target {
    name: "effects",
    run: effects,
    seeds: &[
        b"\x00\x00\x01\x00\x01\x03key\x00\x05value",
        b"\x01\x01\x02\x03\x00\x00\x00\x04\x00\x00",
        b"\x02\x00\x03\x05\x05\x04heat\x00\x017\x00\x06\x00\x08lights/a\x00\x01\x00\x00\x07\x05hello\x00",
        b"\x02\x00\x02\x09\x05title\x00\x1e\x08\x04fall\x00\x01\x00",
    ],
    words: &["lights/a", "heat/v1/x", "$SYS/x", "a/+", "#", "song/x", "\u{7}", "\u{1F525}"],
    recorded: &[],
    inputs: 20_000,
};

fn effects(input: &[u8]) {
    let mut choices = Choices::of(input);
    let role = choices.pick(&[Role::Handler, Role::Multiplier, Role::Formula]);
    let on_fave = choices.flag();
    let limits = Limits {
        publish: vec!["lights/#".to_owned(), "song/+".to_owned()],
        reserved_topics: "heat/v1".to_owned(),
        // Few, so that inputs are.
        effects: 20,
        faves: 4,
        says: 2,
        ..Limits::default()
    };
    let takes = ["song/now".to_owned()];
    let count = choices.below(24);
    let asked: Vec<Effect> = (0..count).map(|_| effect(&mut choices)).collect();
    for effect in &asked {
        assert!(!effect_line(effect).contains(char::is_control), "{effect:?}");
    }
    if check_for(&asked, role, &limits, &takes, on_fave).is_err() {
        return;
    }
    let count = |is: fn(&Effect) -> bool| asked.iter().filter(|effect| is(effect)).count();
    assert!(asked.len() <= 20);
    assert!(count(|it| matches!(it, Effect::Fave(_))) <= 4);
    assert!(count(|it| matches!(it, Effect::Say(_) | Effect::Reply(_))) <= 2);
    for effect in &asked {
        obeys(effect, role, on_fave, &limits);
        // What is taken alone is taken among others, and in any number that is allowed.
        check_for(std::slice::from_ref(effect), role, &limits, &takes, on_fave).expect("alone");
    }
}

fn obeys(effect: &Effect, role: Role, on_fave: bool, limits: &Limits) {
    let short = |text: &str| assert!(text.len() <= limits.key_bytes);
    let few = |text: &str| assert!(text.chars().count() <= limits.text_chars);
    let plain = |text: &str| assert!(!text.contains(char::is_control));
    let weight = |weight: i64| assert!((1..=1_000_000_000).contains(&weight.unsigned_abs()));
    match effect {
        Effect::Put(entry) => {
            short(&entry.key);
            assert!(entry.value.len() <= limits.value_bytes);
        }
        Effect::Delete(key) => short(key),
        Effect::Wake(alarm) => short(&alarm.name),
        Effect::Fave(fave) => {
            assert_eq!(role, Role::Handler);
            assert!(!fave.person.id.is_empty());
            for part in [&fave.person.id, &fave.person.login, &fave.person.name] {
                short(part);
            }
            few(&fave.item);
            weight(fave.weight);
        }
        Effect::Weigh(to) => {
            assert!(role == Role::Multiplier && on_fave);
            weight(*to);
        }
        Effect::Drop => assert!(role == Role::Multiplier && on_fave),
        Effect::Show(output) => {
            assert_eq!(role, Role::Formula);
            check_topic(&format!("heat/v1/seaside/{}", output.name)).expect("a level of a topic");
            assert!(!output.name.contains('/') && !output.name.is_empty());
            few(&output.text);
        }
        Effect::Publish(message) => {
            assert_eq!(role, Role::Formula);
            let topic = message.topic.as_str();
            assert!(topic.starts_with("lights") || topic.starts_with("song/"), "{topic}");
            assert!(topic != "song/now" && !topic.contains(['#', '+', '\0']), "{topic}");
            assert!(message.payload.len() <= limits.value_bytes);
        }
        Effect::Say(line) | Effect::Reply(line) => {
            plain(line);
            few(line);
        }
        Effect::Clip(clip) => {
            assert_eq!(role, Role::Formula);
            assert!((5..=60).contains(&clip.seconds));
            plain(&clip.title);
        }
    }
}

fn effect(choices: &mut Choices<'_>) -> Effect {
    match choices.below(10) {
        0 => {
            let value = vec![7; choices.pick(&[0, 1, 65_536, 65_537])];
            Effect::Put(Entry { key: choices.text(), value })
        }
        1 => Effect::Delete(choices.text()),
        2 => {
            let name = choices.text();
            let person = Person { id: choices.text(), login: name.clone(), name };
            let (item, weight) = (choices.text(), choices.number());
            Effect::Fave(NewFave { person, standing: None, bits: 0, item, weight })
        }
        3 => Effect::Weigh(choices.number()),
        4 => Effect::Drop,
        5 => Effect::Show(Output { name: choices.text(), text: choices.text() }),
        6 => {
            let known = ["lights/a", "lights", "song/x", "song/now", "heat/v1/x", "$SYS/x"];
            let topic = match choices.flag() {
                true => choices.pick(&known).to_owned(),
                false => format!("lights/{}", choices.text()),
            };
            let payload = vec![b'x'; choices.pick(&[0, 1, 65_537])];
            let delivery = choices.pick(&[Delivery::AtLeastOnce, Delivery::AtMostOnce]);
            Effect::Publish(Message { topic, payload, delivery })
        }
        7 if choices.flag() => Effect::Reply(choices.text()),
        7 => Effect::Say(choices.text()),
        8 => {
            let at = choices.flag().then(|| choices.number().unsigned_abs());
            Effect::Wake(Alarm { name: choices.text(), at })
        }
        _ => {
            let seconds = u32::from(choices.byte());
            Effect::Clip(ClipRequest { title: choices.text(), seconds })
        }
    }
}

const FILTERS: Target = Target {
    name: "topic_filters",
    run: filters,
    seeds: &[b"deck/+\ndeck/a", b"a/#\na", b"#\n$SYS/x", b"+/+\n/", b"a//b\na//b"],
    words: &["/", "+", "#", "$", "\n", "$share/", "\0"],
    recorded: &[],
    inputs: 20_000,
};

/// MQTT 5.0, 4.7: filters and topics, held against the definition level by level.
fn filters(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Some((filter, topic)) = text.split_once('\n') else { return };
    if check_filter(filter).is_err() || check_topic(topic).is_err() {
        return;
    }
    assert!(!topic.contains(['+', '#', '\0']), "{topic:?}");
    let levels: Vec<&str> = filter.split('/').collect();
    for (place, level) in levels.iter().enumerate() {
        let last = place + 1 == levels.len();
        assert!(!level.contains('+') || *level == "+", "{filter:?}");
        assert!(!level.contains('#') || (*level == "#" && last), "{filter:?}");
    }
    assert_eq!(matches(filter, topic), defined(&levels, topic), "{filter:?} and {topic:?}");
}

fn defined(levels: &[&str], topic: &str) -> bool {
    if topic.starts_with('$') && matches!(levels[0], "+" | "#") {
        return false;
    }
    let mut names = topic.split('/');
    for level in levels {
        match (*level, names.next()) {
            ("#", _) => return true,
            (_, None) => return false,
            ("+", Some(_)) => {}
            (level, Some(name)) if level == name => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

#[test]
fn effects_that_are_taken_obey_the_limits() {
    EFFECTS.check();
}

#[test]
fn filters_match_as_mqtt_defines() {
    FILTERS.check();
}
