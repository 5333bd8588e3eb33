//! Series: how often something happened in a channel, in bins of one second to one hour.
//!
//! - [`Resolution`] says how wide a bin is, how many of them make a block, and how long they are kept,
//! - [`names`] gives every emote and every output a number, so that blocks are small,
//! - [`open`] has the blocks that still grow, in memory,
//! - [`block`] is how a block is stored, [`store`] writes those that have closed,
//! - [`query`] reads both, [`since`] says from when on there is something to read, [`top`] who and what has the most faves,
//! - [`recover`] makes the open ones anew from the log after a start, while [`shared`] keeps what happens.
//!
//! Everything here follows from the records of the log and their times alone, in their order: a recount gives the same numbers.
//! What is in no bin yet is in the log, which is written first; so nothing is lost with the memory.

mod block;
mod names;
mod open;
mod query;
mod recover;
mod resolution;
mod shared;
mod since;
mod store;
mod top;

pub(crate) use names::NAMES;
pub use names::{Provider, What};
use open::Open;
pub use query::{Point, Range, Statistics, Total};
pub(crate) use recover::{Recovery, recover};
pub use resolution::Resolution;
pub(crate) use shared::Shared;
pub(crate) use store::{BLOCKS, expire};
pub use top::MostFaved;

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::contract::{Event, Happening};
use crate::log::{Counted, Record};

/// How much later than its bin has ended a line may come and still be told from those of the same person, in milliseconds. Twitch's own
/// times are out of order by up to half a second; what comes later than this comes from a connection that was away.
pub(crate) const SLACK: u64 = 10_000;

/// The oldest time that a line may claim, before now, in milliseconds: what is older is counted as now.
const OLDEST: u64 = 24 * 3_600_000;

impl Open {
    /// Counts what a record says has happened.
    fn take(&mut self, record: &Record) {
        match record {
            Record::Event { now, event } => self.event(*now, event),
            Record::Faves { now, channel, faves, .. } => self.faves(*now, channel, faves),
            _ => {}
        }
    }

    fn event(&mut self, now: u64, event: &Event) {
        let Happening::Chat(line) = &event.what else { return };
        let at = time_of(event.at, now);
        let person = digest(&line.person.id);
        let emotes = line.emotes.iter();
        let emotes = emotes.map(|it| self.names.emote(it.provider, &it.name, &it.id));
        let series: Vec<u32> = std::iter::once(What::MESSAGES).chain(emotes).collect();
        self.add(&event.channel, &series, at, now, Some(person));
    }

    fn faves(&mut self, now: u64, channel: &str, faves: &[Counted]) {
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
