//! Fuzz targets of the whole engine: any bytes as the answer of a guest, and any events for the rules of this project.

use std::cell::RefCell;
use std::sync::Arc;

use anyhow::{Context, Result};
use heat_engine::wit::{
    Cheer, Event, Gift, Happening, HypeTrain, HypeTrainStage, MqttMessage, Person, Raid,
    Redemption, Subscription, Tier,
};
use heat_engine::{Chain, Component, Engine, Fault, Given, Limits, Rule, Store};
use heat_tests::fuzz::{Choices, Target};

use crate::stage::{CHANNEL, START, Stage, chat_line, loaded, patient, sandbox};

const ANSWERS: Target = Target {
    name: "guest_answers",
    run: answers,
    seeds: &[
        // Pointers count from 65536, where the answer stands. No effects; an error; `say`, `put`, `show`, a fave, `wake`.
        b"\x02\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\x00\x01\0\0\0\x0c\0\x01\0\x03\0\0\0bad",
        b"\x02\0\0\0\0\x10\0\x01\0\x01\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x20\0\x01\0\x03\0\0\0abc",
        b"\x01\0\0\0\0\x10\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\x01\0\x03\0\0\0\x28\0\x01\0\x03\0\0\0abc",
        b"\x02\0\0\0\0\x10\0\x01\0\x01\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x28\0\x01\0\x03\0\0\0\x28\0\x01\0\x03\0\0\0abc",
        b"\x00\0\0\0\0\x10\0\x01\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x58\0\x01\0\x03\0\0\0\x58\0\x01\0\x03\0\0\0\x58\0\x01\0\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x58\0\x01\0\x03\0\0\0\0\0\0\0\xe8\x03\0\0\0\0\0\0abc",
        b"\x02\0\0\0\0\x10\0\x01\0\x01\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x10\0\x01\0\x01\0\0\0\x01\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
        // So many effects that they would not fit; a text that is not there; a list that claims all memory.
        b"\x02\0\0\0\0\x10\0\x01\0\xff\x03\0\0\0\0\0\0\x04",
        b"\x02\0\0\0\0\x10\0\x01\0\x01\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\xf0\xff\x03\0\xff\xff\0\0",
        b"\x02\0\0\0\0\0\0\0\0\xff\xff\xff\x7f",
    ],
    words: &["\0\0\u{1}\0", "\u{10}\0\u{1}\0", "\0\0\0\0", "\u{1}\0\0\0", "abc"],
    recorded: &[],
    inputs: 500,
};

thread_local! {
    /// The guest in each of its roles.
    static GUESTS: RefCell<Vec<Rule>> = const { RefCell::new(Vec::new()) };
}

fn guests() -> Result<Vec<Rule>> {
    let known = GUESTS.with_borrow(Vec::clone);
    if !known.is_empty() {
        return Ok(known);
    }
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(crate::stage::root().join("wit"))?;
    let world = resolve.select_world(&[package], Some("rule"))?;
    let limits = Arc::new(Limits { instance_events: 1, ..patient() });
    let mut rules = Vec::new();
    for role in 0..3 {
        let text = include_str!("guest.wat").replace("ROLE", &format!("\\0{role}"));
        let mut module = wat::parse_str(text)?;
        let encoding = wit_component::StringEncoding::UTF8;
        wit_component::embed_component_metadata(&mut module, &resolve, world, encoding)?;
        let bytes = wit_component::ComponentEncoder::default().module(&module)?.encode()?;
        let component = Arc::new(Component::load(&*sandbox()?, &limits, &bytes)?);
        rules.push(Rule::new(&*sandbox()?, &limits, &component, &[])?);
    }
    GUESTS.set(rules.clone());
    Ok(rules)
}

fn message(payload: &[u8]) -> Happening {
    let topic = "answer".to_owned();
    Happening::Mqtt(MqttMessage { topic, payload: payload.to_vec(), retained: false })
}

fn answers(input: &[u8]) {
    let (role, answer) = input.split_first().map_or((0, input), |(role, rest)| (*role, rest));
    let rule = guests().expect("the guest is built").swap_remove(usize::from(role % 3));
    let chain = Chain { channel: CHANNEL.to_owned(), rules: vec![("guest".to_owned(), rule)] };
    let store = Store::in_memory().expect("a store in memory");
    let engine = Engine::open(sandbox().expect("a sandbox"), store, vec![chain], START);
    let mut stage = Stage::over(engine.expect("an engine over it"));
    let decision = stage.event(message(answer)).expect("the engine goes on");
    stage.engine.commit().expect("what was decided can be kept");
    if let Err(fault) = &decision.answers[0].outcome {
        let fault = fault.to_string();
        assert!(fault.len() < 2_000 && !fault.contains(char::is_control), "{fault:?}");
        assert!(decision.faves.is_empty());
        assert_eq!(stage.faves().expect("a count"), 0);
        assert_eq!(stage.engine.snapshot().and_then(|it| it.rows()).expect("rows").0, 0);
    }
    assert!(decision.faves.is_empty() || role % 3 == 0, "no handler has faved");
    // The next call finds everything in order: an answer of nothing.
    let next = stage.event(message(&[0; 12])).expect("the engine goes on");
    assert!(next.answers.iter().all(|it| it.outcome.is_ok()), "{next:?}");
}

const EVENTS: Target = Target {
    name: "events_for_rules",
    run: events,
    seeds: &[
        b"\x00\x00\x00\x05?fave\x00\x00\x01\x00\x05?fave\x00",
        b"\x01\x01\x00\x12{\"item\":\"pie\",\"w\":1}\x00\x00\x02\x04?top\x00",
        b"\x03\x02\x00\x00\x04\x00\x05\x00\x06\x00\x07\x00\x08\x00\x09\x00",
    ],
    words: &[
        "?fave ",
        "?heat ",
        "?faves",
        "?top people",
        "add 5",
        "set 1e9",
        "boost 99999 1d",
        "pause",
        "resume",
        "{\"item\":\"",
        "\"user\":\"",
        "\"weight\":-10000",
        "}",
        "\u{200d}",
        "\u{202e}",
        "\u{1F525}",
        "@",
        "18446744073709551615",
        "NaN",
        "-0",
        "\u{130}",
    ],
    recorded: &["eventsub/chatterino_event_bodies.ndjson"],
    inputs: 120,
};

/// The rules of this project, with topics where they take some.
const RULES: [&str; 10] = [
    "fave",
    "multiplier",
    "decay",
    "crowd",
    "combo",
    "hype-train",
    "lights",
    "replies",
    "song-heat",
    "hype-clip",
];

thread_local! {
    static CHAIN: RefCell<Vec<(String, Rule)>> = const { RefCell::new(Vec::new()) };
}

fn chain() -> Result<Vec<(String, Rule)>> {
    let known = CHAIN.with_borrow(Vec::clone);
    if !known.is_empty() {
        return Ok(known);
    }
    let limits = Arc::new(patient());
    let topics = Given::List(vec![Given::Text("deck/+".to_owned())]);
    let mut rules = Vec::new();
    for name in RULES {
        let settings = match name {
            "fave" => vec![("topics".to_owned(), topics.clone())],
            _ => Vec::new(),
        };
        let rule = Rule::new(&*sandbox()?, &limits, &loaded(name)?, &settings).context(name)?;
        rules.push((name.to_owned(), rule));
    }
    CHAIN.set(rules.clone());
    Ok(rules)
}

fn events(input: &[u8]) {
    let rules = chain().expect("the rules are built");
    let store = Store::in_memory().expect("a store in memory");
    let chain = vec![Chain { channel: CHANNEL.to_owned(), rules }];
    let engine = Engine::open(sandbox().expect("a sandbox"), store, chain, START);
    let mut stage = Stage::over(engine.expect("an engine over it"));
    let mut choices = Choices::of(input);
    for number in 0..12 {
        if choices.is_empty() {
            break;
        }
        let what = happening(&mut choices);
        let (at, channel) = (choices.number().unsigned_abs(), CHANNEL.to_owned());
        let event = Event { id: number.to_string(), channel, at, what: what.clone() };
        let decision = stage.engine.handle(stage.now, event).expect("the engine goes on");
        let wait = choices.pick(&[0, 1, 1_000, 60_000, 3_600_000]);
        let fired = stage.wait(wait).expect("the engine goes on");
        for answer in fired.iter().chain([&decision]).flat_map(|it| &it.answers) {
            match &answer.outcome {
                Ok(_) => {}
                // A rule that says that a message makes no sense is in order.
                Err(Fault::Error(_)) if matches!(what, Happening::Mqtt(_)) => {}
                Err(fault) => panic!("{} fails at {what:?}: {fault}", answer.slot),
            }
        }
    }
    stage.engine.commit().expect("what was decided can be kept");
}

/// Somebody, as Twitch has people: with an id and a login.
fn person(choices: &mut Choices<'_>) -> Person {
    let name = choices.pick(&["ann", "Bob", "mona", "ドラゴン"]);
    let login = choices.pick(&["ann", "bob", "mona"]).to_owned();
    Person { id: format!("id-{login}"), login, name: name.to_owned() }
}

fn happening(choices: &mut Choices<'_>) -> Happening {
    let giver = |choices: &mut Choices<'_>| choices.flag().then(|| person(choices));
    let tier =
        |choices: &mut Choices<'_>| choices.pick(&[Tier::Prime, Tier::One, Tier::Two, Tier::Three]);
    let count = |choices: &mut Choices<'_>| choices.pick(&[0, 1, 5, 1_000_000, u32::MAX]);
    // Chat has at most 500 characters.
    let text = |choices: &mut Choices<'_>| choices.text().chars().take(500).collect::<String>();
    match choices.below(11) {
        0 | 1 => {
            let who = choices.pick(&[
                "ann",
                "bob (vip, tier two)",
                "mona (moderator)",
                "own (broadcaster, bits 4294967295)",
            ]);
            let command = choices.pick(&[
                "?fave ",
                "?heat ",
                "?heat add ",
                "?heat set ",
                "?heat boost ",
                "?faves ",
                "?top ",
                "",
            ]);
            let line = format!("{command}{}", text(choices));
            let mut line = chat_line(who, &line.chars().take(500).collect::<String>());
            if choices.flag() {
                line.shared_from = Some("9".to_owned());
            }
            Happening::Chat(line)
        }
        2 => {
            let topic = choices.pick(&["deck/a", "new-heat"]).to_owned();
            let payload = choices.text().into_bytes();
            Happening::Mqtt(MqttMessage { topic, payload, retained: choices.flag() })
        }
        3 => Happening::Subscription(Subscription {
            person: person(choices),
            tier: tier(choices),
            months: count(choices),
            renewed: choices.flag(),
            text: text(choices),
        }),
        4 => Happening::Gift(Gift {
            person: giver(choices),
            tier: tier(choices),
            count: count(choices),
            receiver: giver(choices),
        }),
        5 => Happening::Cheer(Cheer {
            person: giver(choices),
            bits: count(choices),
            text: text(choices),
        }),
        6 => Happening::Raid(Raid { person: person(choices), viewers: count(choices) }),
        7 => Happening::Follow(person(choices)),
        8 => Happening::Redemption(Redemption {
            person: person(choices),
            reward: text(choices),
            reward_id: text(choices),
            cost: count(choices),
            text: text(choices),
        }),
        9 => Happening::HypeTrain(HypeTrain {
            train: choices.pick(&["t1", "t2", ""]).to_owned(),
            stage: choices.pick(&[
                HypeTrainStage::Begin,
                HypeTrainStage::Progress,
                HypeTrainStage::End,
            ]),
            level: count(choices),
            points: choices.number().unsigned_abs(),
            goal: choices.number().unsigned_abs(),
        }),
        _ if choices.flag() => Happening::StreamStart,
        _ => Happening::StreamEnd,
    }
}

#[test]
fn any_answer_of_a_guest_is_taken_or_harms_nobody() {
    ANSWERS.check();
}

#[test]
fn no_event_makes_a_rule_of_this_project_fail() {
    EVENTS.check();
}
