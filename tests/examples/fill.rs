//! Fills a store through the engine until its file has so many megabytes: for measuring starts, backups and restores.
//!
//! `fill heat-data/heat.redb 100 target/rules` counts faves of new people for new items, among lines of chat that count for nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use heat_engine::wit::{ChatLine, Event, Happening, Person, Standing};
use heat_engine::{Chain, Component, Engine, Limits, Rule, Sandbox, Store};

const CHANNEL: &str = "seaside";
/// The first of January 2026, in milliseconds since 1970.
const START: u64 = 1_767_225_600_000;
/// Events between two commits, about as many as a busy heatd has.
const GROUP: u64 = 1_000;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let usage = "fill STORE MEGABYTES RULES";
    let file = arguments.next().map(PathBuf::from).context(usage)?;
    let megabytes: u64 =
        arguments.next().and_then(|it| it.to_str()?.parse().ok()).context(usage)?;
    let rules = arguments.next().map(PathBuf::from).context(usage)?;
    let mut engine = open(&file, &rules)?;
    let mut number = engine.snapshot()?.next_record()?;
    while std::fs::metadata(&file)?.len() < megabytes * 1_000_000 {
        for _ in 0..GROUP {
            number += 1;
            engine.handle(START + number * 100, event(number))?;
        }
        engine.commit()?;
    }
    Ok(())
}

fn open(file: &Path, rules: &Path) -> Result<Engine> {
    let sandbox = Arc::new(Sandbox::new(None)?);
    let limits = Arc::new(Limits { wall_ms: u64::from(u32::MAX), ..Limits::default() });
    let mut chain = Chain { channel: CHANNEL.to_owned(), rules: Vec::new() };
    for slot in ["fave", "decay"] {
        let bytes = std::fs::read(rules.join(format!("{slot}.wasm")))?;
        let component = Arc::new(Component::load(&sandbox, &limits, &bytes)?);
        chain.rules.push((slot.to_owned(), Rule::new(&sandbox, &limits, &component, &[])?));
    }
    Ok(Engine::open(sandbox, Store::open(file)?, vec![chain], START)?)
}

fn event(number: u64) -> Event {
    let text = match number % 4 {
        0 => format!("?fave item number {number} of a long list of songs"),
        _ => format!("line {number} of {:x}, which nobody has asked for", scattered(number)),
    };
    let login = format!("person{:x}", scattered(number / 4));
    let nobody = Standing {
        broadcaster: false,
        moderator: false,
        vip: false,
        subscription: None,
        first_message: false,
        returning: false,
    };
    let line = ChatLine {
        message: String::new(),
        person: Person { id: login.clone(), login: login.clone(), name: login },
        standing: nobody,
        text,
        emotes: Vec::new(),
        bits: 0,
        reply_to: None,
        shared_from: None,
    };
    let at = START + number * 100;
    let id = format!("line-{number}");
    Event { id, channel: CHANNEL.to_owned(), at, what: Happening::Chat(line) }
}

/// Numbers in no order, so that rows come to lie everywhere, as those of people do.
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
