//! An event that a rule takes, beside a bare call of the same component.
//!
//! The bare call is wasmtime with the engine's own configuration, fuel and deadline set before each call as the engine does, one
//! instance, the same settings, and the very record that the rule gets from the engine. Its state is always empty, and nothing is
//! checked, counted or kept of what it answers.

use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use heat_engine::Store;
use heat_tests::figures::{Figure, Samples};

use crate::Setup;
use crate::bare::BareRule;
use crate::stage::{self, REGULARS};

use crate::generated::heat::rules::effects::Effect;
use crate::generated::heat::rules::events::{
    ChatLine, Command, Event, Happening, Person, Standing,
};

/// As many events are decided on before a commit, which is not measured here.
const GROUP: u64 = 1024;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let (rounds, events) = if setup.quick { (3, 4 * GROUP) } else { (9, 20 * GROUP) };
    let bytes = stage::component(&setup.rules, "fave")?;
    let (mut engine, mut bare, mut anew) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..rounds {
        engine.push(events as f64 / by_engine(setup, events)?);
        bare.push(events as f64 / by_wasmtime(&bytes, events, u64::MAX).map_err(plain)?);
        anew.push(events as f64 / by_wasmtime(&bytes, events, 64).map_err(plain)?);
    }
    let floor = "bare wasmtime call, one instance";
    let ratio = engine.median() / bare.median();
    Figure::median(
        "rules",
        "events with a fave that the rule `fave` takes, before the commit",
        "/s",
        &engine,
    )
    .floor(floor, bare.median())
    .target("≥ half of the floor", ratio >= 0.5)
    .print()?;
    Figure::median(
        "rules",
        "bare calls, the instance made again for each 64 as the engine does",
        "/s",
        &anew,
    )
    .floor(floor, bare.median())
    .print()
}

/// wasmtime's errors are none of the standard library's.
pub(crate) fn plain(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}

/// Seconds that the engine takes to decide on the events. Commits are left out.
fn by_engine(setup: &Setup, events: u64) -> Result<f64> {
    let mut engine = stage::engine(&setup.rules, &["fave"], Store::in_memory()?)?;
    let (mut seconds, mut faves) = (0.0, 0);
    for group in 0..events / GROUP {
        let numbers = group * GROUP..(group + 1) * GROUP;
        let made: Vec<_> =
            numbers.map(|number| (stage::now(number), stage::event(REGULARS, number))).collect();
        let start = Instant::now();
        for (now, event) in made {
            faves += engine.handle(now, event)?.faves.len();
        }
        seconds += start.elapsed().as_secs_f64();
        engine.commit()?;
    }
    let counted = engine.snapshot()?.channel_tally(stage::CHANNEL)?.faves;
    ensure!(counted == events && faves as u64 == events, "{counted} of {events} were counted");
    Ok(seconds)
}

/// Seconds that bare calls take, with a new instance after so many of them.
fn by_wasmtime(bytes: &[u8], events: u64, instance_events: u64) -> wasmtime::Result<f64> {
    let rule = BareRule::new(bytes)?;
    let made: Vec<_> = (0..events).map(|number| (stage::now(number), command(number))).collect();
    let start = Instant::now();
    let mut instance = rule.instance()?;
    let mut faves = 0;
    for (number, (now, event)) in (0..).zip(&made) {
        if number > 0 && number % instance_events == 0 {
            instance = rule.instance()?;
        }
        let answer = instance.call(*now, event)?;
        faves += u64::from(matches!(answer.as_deref(), Ok([Effect::Fave(_)])));
    }
    let seconds = start.elapsed().as_secs_f64();
    wasmtime::ensure!(faves == events, "{faves} of {events} calls answered with a fave");
    Ok(seconds)
}

/// The fave of this number as the rule gets it from the engine.
pub(crate) fn command(number: u64) -> Event {
    let line = stage::line(REGULARS, number);
    let person = line.person;
    let line = ChatLine {
        message: line.message,
        person: Person { id: person.id, login: person.login, name: person.name },
        standing: Standing {
            broadcaster: false,
            moderator: false,
            vip: false,
            subscription: None,
            first_message: false,
            returning: false,
        },
        text: line.text,
        emotes: Vec::new(),
        bits: 0,
        reply_to: None,
        shared_from: None,
    };
    let (_, item) = stage::fave(REGULARS, number);
    let id = line.message.clone();
    let command = Command { name: "?fave".to_owned(), arguments: item, line };
    let channel = stage::CHANNEL.to_owned();
    Event { id, channel, at: stage::now(number), what: Happening::Command(command) }
}
