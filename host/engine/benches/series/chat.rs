//! Chat of many channels, and an engine without rules that hears it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use fastrand::Rng;
use heat_engine::wit::{ChatLine, Emote, EmoteProvider, Event, Happening, Person, Standing};
use heat_engine::{Chain, Engine, Sandbox, Store};

/// How many channels there are.
pub(crate) const CHANNELS: usize = 25;

/// The first of January 2026, in milliseconds since 1970.
pub(crate) const START: u64 = 1_767_225_600_000;

pub(crate) fn channel(number: usize) -> String {
    format!("channel{number}")
}

/// An engine whose channels have no rules: what is left is the log and the series.
pub(crate) fn engine(file: &Path) -> Result<Engine> {
    over(Store::open(file)?)
}

/// The same over a store that is open.
pub(crate) fn over(store: Store) -> Result<Engine> {
    let chain = |number| Chain { channel: channel(number), rules: Vec::new() };
    let chains = (0..CHANNELS).map(chain).collect();
    Ok(Engine::open(Arc::new(Sandbox::new(None)?), store, chains, START)?)
}

/// What is said, by whom, with which emotes.
pub(crate) struct Chat {
    random: Rng,
    lines: u64,
    /// Different emotes in a channel; none: nobody uses any.
    emotes: u32,
}

impl Chat {
    pub(crate) fn new(emotes: u32) -> Self {
        Self { random: Rng::with_seed(7), lines: 0, emotes }
    }

    /// The next line in a channel. Few emotes make most of the uses, as in chat.
    pub(crate) fn line(&mut self, number: usize, at: u64) -> Event {
        self.lines += 1;
        let person = format!("person{}", self.random.u32(..2_000));
        let uses = if self.emotes == 0 { 0 } else { self.random.u32(..4) };
        let emotes = (0..uses).map(|_| self.emote(number)).collect();
        let id = format!("line-{}", self.lines);
        let what = Happening::Chat(ChatLine {
            message: id.clone(),
            person: Person { id: person.clone(), login: person.clone(), name: person },
            standing: Standing {
                broadcaster: false,
                moderator: false,
                vip: false,
                subscription: None,
                first_message: false,
                returning: false,
            },
            text: "this is what somebody says".to_owned(),
            emotes,
            bits: 0,
            reply_to: None,
            shared_from: None,
        });
        Event { id, channel: channel(number), at, what }
    }

    fn emote(&mut self, number: usize) -> Emote {
        let share = self.random.f64().powi(4);
        let which = (share * f64::from(self.emotes)) as u32;
        Emote {
            name: format!("emote{number}x{which}"),
            id: format!("01FE0000000000000000{which:06}"),
            provider: EmoteProvider::SevenTv,
            start: 0,
            end: 4,
        }
    }
}
