//! What a record of the log adds to the series.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::names::What;
use super::open::Open;
use crate::contract::event::is_order;
use crate::contract::{Event, Happening};
use crate::store::record::{CountedFave, Record};

/// How far in the past a line may claim to be, in milliseconds. An older one is counted as now.
const OLDEST: u64 = 24 * 3_600_000;

impl Open {
    /// Counts what a record says has happened.
    pub(super) fn take(&mut self, record: &Record) {
        match record {
            Record::Event { now, event } => self.event(*now, event),
            Record::Faves { now, channel, faves, .. } => self.faves(*now, channel, faves),
            _ => {}
        }
    }

    fn event(&mut self, now: u64, event: &Event) {
        let Happening::Chat(line) = &event.what else { return };
        if is_order(event) {
            return;
        }
        let at = time_of(event.at, now);
        let person = digest(&line.person.id);
        let emotes = line.emotes.iter();
        let emotes = emotes.map(|it| self.names.emote(it.provider, &it.name, &it.id));
        let series: Vec<u32> = std::iter::once(What::MESSAGES).chain(emotes).collect();
        self.add(&event.channel, &series, at, now, Some(person));
    }

    fn faves(&mut self, now: u64, channel: &str, faves: &[CountedFave]) {
        for counted in faves {
            // Messages that name nobody make faves of nobody.
            let id = &counted.fave.person.id;
            let person = (!id.is_empty()).then(|| digest(id));
            self.add(channel, &[What::FAVES], now, now, person);
        }
    }
}

/// The time in which a line is counted: its own, unless that cannot be.
fn time_of(at: u64, now: u64) -> u64 {
    if at > now || at + OLDEST < now { now } else { at }
}

/// A number for a person, to tell people apart within a bin.
fn digest(person: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    person.hash(&mut hasher);
    hasher.finish()
}
