//! An engine with real rules, and the events that it is given: `?fave` lines of many people for many items.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use heat_engine::wit::{ChatLine, Event, Happening, Person, Standing};
use heat_engine::{Chain, Component, Engine, Limits, Rule, Sandbox, Store};

pub(crate) const CHANNEL: &str = "seaside";

/// The first of January 2026, in milliseconds since 1970.
pub(crate) const START: u64 = 1_767_225_600_000;

/// How many people fave how many items.
const PEOPLE: u64 = 2_000;
const ITEMS: u64 = 200;

/// Who faves what, in an event of this number.
pub(crate) fn fave(number: u64) -> (String, String) {
    // Steps of two primes: everybody faves many items, and neighbours differ.
    let (person, item) = (number * 7919 % PEOPLE, number * 104_729 / 31 % ITEMS);
    (format!("person{person}"), format!("song number {item}"))
}

/// A line of chat that is the fave of this number.
pub(crate) fn line(number: u64) -> ChatLine {
    let (login, item) = fave(number);
    ChatLine {
        message: format!("5b3f7a52-0000-4000-8000-{number:012x}"),
        person: Person { id: format!("id-{login}"), login: login.clone(), name: login },
        standing: Standing {
            broadcaster: false,
            moderator: false,
            vip: false,
            subscription: None,
            first_message: false,
            returning: false,
        },
        text: format!("?fave {item}"),
        emotes: Vec::new(),
        bits: 0,
        reply_to: None,
        shared_from: None,
    }
}

/// When the event of this number is taken in: ten of them in a millisecond.
pub(crate) fn now(number: u64) -> u64 {
    START + number / 10
}

pub(crate) fn event(number: u64) -> Event {
    let line = line(number);
    let (id, at) = (line.message.clone(), now(number));
    Event { id, channel: CHANNEL.to_owned(), at, what: Happening::Chat(line) }
}

pub(crate) fn component(rules: &Path, name: &str) -> Result<Vec<u8>> {
    let file = rules.join(format!("{name}.wasm"));
    std::fs::read(&file).with_context(|| {
        format!("{} cannot be read; `cargo xtask rules` builds it", file.display())
    })
}

/// An engine with these rules, in slots of their own names, with their default settings.
pub(crate) fn engine(rules: &Path, names: &[&str], store: Store) -> Result<Engine> {
    let sandbox = Arc::new(Sandbox::new(None)?);
    let limits = Arc::new(Limits::default());
    let mut chain = Chain { channel: CHANNEL.to_owned(), rules: Vec::new() };
    for name in names {
        let component = Component::load(&sandbox, &limits, &component(rules, name)?)?;
        let rule = Rule::new(&sandbox, &limits, &Arc::new(component), &[])?;
        chain.rules.push(((*name).to_owned(), rule));
    }
    Ok(Engine::open(sandbox, store, vec![chain], START)?)
}
