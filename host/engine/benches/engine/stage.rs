//! An engine with real rules, and the events that it is given: `?fave` lines of many people for many items.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use heat_engine::wit::{ChatLine, Event, Happening, Person, Standing};
use heat_engine::{Chain, Component, Engine, Limits, Rule, Sandbox, Store};

pub(crate) const CHANNEL: &str = "seaside";

/// The first of January 2026, in milliseconds since 1970.
pub(crate) const START: u64 = 1_767_225_600_000;

/// Who faves what: so many people, so many songs, in turn.
#[derive(Clone, Copy)]
pub(crate) struct Mix {
    pub(crate) name: &'static str,
    people: u64,
    songs: u64,
}

/// A chat as it is most days: the rows of the store are soon there, and change.
pub(crate) const REGULARS: Mix = Mix { name: "200 people, 20 songs", people: 200, songs: 20 };

/// A crowd: nearly every fave is the first of its person for its song, and so a row that is new.
pub(crate) const CROWD: Mix = Mix { name: "2,000 people, 200 songs", people: 2_000, songs: 200 };

/// Who faves what, in an event of this number.
pub(crate) fn fave(mix: Mix, number: u64) -> (String, String) {
    // Steps of two primes: everybody faves many songs, and neighbours differ.
    let (person, song) = (number * 7919 % mix.people, number * 104_729 / 31 % mix.songs);
    (format!("person{person}"), format!("song number {song}"))
}

/// A line of chat that is the fave of this number.
pub(crate) fn line(mix: Mix, number: u64) -> ChatLine {
    let (login, item) = fave(mix, number);
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

pub(crate) fn event(mix: Mix, number: u64) -> Event {
    let line = line(mix, number);
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
