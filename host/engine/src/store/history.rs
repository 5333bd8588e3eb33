//! Finds what the log has, for people: lines of chat and whatever else happened, by person, kind, words and time.
//!
//! The log is read block by block, and a block that cannot have any of it is not taken apart. There is no index.

pub(crate) mod pattern;
pub(crate) mod person;

use std::collections::BTreeSet;

use crate::contract::Event;
use crate::contract::event::{kind_of, person_in};
use crate::error::StoreError;
use crate::store::forget::who::Identity;
use crate::store::history::pattern::{TextPattern, texts_of};
use crate::store::log::{Block, unpack};
use crate::store::raw_filter::RawFilter;
use crate::store::record::{CountedFave, Record};
use crate::store::snapshot::Snapshot;

/// The kind of faves that were counted. They are records of their own, beside the events that they came from.
pub const FAVE: &str = "fave";

/// What is looked for. The default is everything.
#[derive(Default)]
pub struct HistoryQuery {
    /// Only these channels, by login. Empty: all.
    pub channels: BTreeSet<String>,
    /// Only these kinds, as [`crate::kind_of`] names them, and [`FAVE`]. Empty: all.
    pub kinds: BTreeSet<String>,
    /// Only what is this person's.
    pub who: Option<Identity>,
    /// Only what has these words.
    pub text: Option<TextPattern>,
    /// Only from this time on, in milliseconds since 1970.
    pub from: u64,
    /// Only until before this time, in milliseconds since 1970. None: until now.
    pub to: Option<u64>,
    /// The oldest first, instead of the newest.
    pub oldest_first: bool,
    /// Only what comes behind the record with this number, in the order of the answer.
    pub after: Option<u64>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The number of its record.
    pub number: u64,
    /// When heatd took it in, in milliseconds since 1970.
    pub at: u64,
    /// What it is.
    pub what: FoundKind,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum FoundKind {
    /// An event.
    Event(Box<Event>),
    /// Faves that were counted, in a channel, for the event with this id.
    Faves {
        /// Login of the channel.
        channel: String,
        /// Id of the event.
        event: String,
        /// Those that were looked for.
        faves: Vec<CountedFave>,
    },
}

/// A part of what there is.
#[derive(Debug, Default)]
pub struct HistoryPage {
    /// In the wished order.
    pub found: Vec<Found>,
    /// Where the next page begins: `after` of its query. None: there is no more.
    pub next: Option<u64>,
    /// The time up to which the log was read, in milliseconds since 1970. None: nothing was read.
    pub reached: Option<u64>,
}

impl Snapshot {
    /// At most so many things, and fewer when the search shall not go on. Then it says where the next page begins: asked again and again, all
    /// is found.
    pub fn history(
        &self,
        query: &HistoryQuery,
        most: usize,
        goes_on: impl Fn() -> bool,
    ) -> Result<HistoryPage, StoreError> {
        let filter = query.raw_filter();
        let mut page = HistoryPage::default();
        let log = self.tables.log()?;
        let mut rows = match (query.oldest_first, query.after) {
            (true, after) => log.range(self.first_block(query, after)?..)?,
            (false, Some(after)) => log.range(..after)?,
            (false, None) => log.range::<u64>(..)?,
        };
        loop {
            let Some(row) = (if query.oldest_first { rows.next() } else { rows.next_back() })
            else {
                page.next = None;
                return Ok(page);
            };
            let (number, block) = row?;
            let (first_at, last_at, _, compressed) = block.value();
            let is_over = if query.oldest_first {
                query.to.is_some_and(|to| first_at >= to)
            } else {
                last_at < query.from
            };
            if is_over {
                page.next = None;
                return Ok(page);
            }
            let first = number.value();
            let last = first + u64::from(block.value().2).max(1) - 1;
            // The page before has it already.
            let is_done = query.oldest_first && query.after.is_some_and(|after| last <= after);
            if is_done || query.to.is_some_and(|to| first_at >= to) || last_at < query.from {
                continue;
            }
            page.reached = Some(if query.oldest_first { last_at } else { first_at });
            let bytes = unpack(compressed)?;
            if filter.may_have(&bytes) {
                let is_full = page.take(query, first, Block::decode_unpacked(&bytes)?, most);
                if is_full {
                    return Ok(page);
                }
            }
            // The next page begins behind this block.
            page.next = Some(if query.oldest_first { last } else { first });
            if !goes_on() {
                return Ok(page);
            }
        }
    }

    /// The first block that can have something of what is asked, the oldest first.
    fn first_block(&self, query: &HistoryQuery, after: Option<u64>) -> Result<u64, StoreError> {
        let Some(after) = after else {
            return Ok(self.first_since(query.from)?.unwrap_or(u64::MAX));
        };
        let row = self.tables.log()?.range(..=after)?.next_back();
        Ok(row.transpose()?.map_or(after, |(number, _)| number.value()))
    }
}

impl HistoryPage {
    /// Takes what is looked for out of a block. Whether the page is full.
    fn take(
        &mut self,
        query: &HistoryQuery,
        first: u64,
        records: Vec<Record>,
        most: usize,
    ) -> bool {
        let mut numbered: Vec<(u64, Record)> = (first..).zip(records).collect();
        if !query.oldest_first {
            numbered.reverse();
        }
        for (number, record) in numbered {
            let is_behind = match query.after {
                None => true,
                Some(after) if query.oldest_first => number > after,
                Some(after) => number < after,
            };
            if !is_behind {
                continue;
            }
            let at = record.at();
            let Some(what) = query.take(record) else { continue };
            self.found.push(Found { number, at, what });
            if self.found.len() >= most {
                self.next = Some(number);
                return true;
            }
        }
        false
    }
}

impl HistoryQuery {
    /// What a block must have.
    fn raw_filter(&self) -> RawFilter {
        let mut filter = RawFilter::default();
        if let Some(raw) = self.text.as_ref().and_then(|text| text.raw.clone()) {
            filter.expression(raw);
        }
        if let Some(who) = &self.who {
            filter.exact(who.ids().map(String::as_str));
        }
        if !self.kinds.is_empty() {
            let markers: Vec<String> = self.kinds.iter().map(|kind| marker(kind)).collect();
            filter.exact(markers.iter().map(String::as_str));
        }
        if !self.channels.is_empty() {
            filter.exact(self.channels.iter().map(String::as_str));
        }
        filter
    }

    /// What a record has of what is looked for.
    fn take(&self, record: Record) -> Option<FoundKind> {
        let at = record.at();
        let is_wanted = at >= self.from
            && self.to.is_none_or(|to| at < to)
            && (self.channels.is_empty() || self.channels.contains(record.channel()));
        match record {
            _ if !is_wanted => None,
            Record::Event { event, .. } => self.wants(&event).then_some(FoundKind::Event(event)),
            Record::Faves { channel, event, mut faves, .. } if self.wants_kind(FAVE) => {
                faves.retain(|it| self.wants_fave(it));
                (!faves.is_empty()).then_some(FoundKind::Faves { channel, event, faves })
            }
            _ => None,
        }
    }

    fn wants_kind(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.contains(kind)
    }

    fn wants(&self, event: &Event) -> bool {
        let is_theirs = self
            .who
            .as_ref()
            .is_none_or(|who| person_in(&event.what).is_some_and(|person| who.is(person)));
        is_theirs
            && self.wants_kind(kind_of(event))
            && self.text.as_ref().is_none_or(|it| it.is_in_any(&texts_of(&event.what)))
    }

    fn wants_fave(&self, counted: &CountedFave) -> bool {
        self.who.as_ref().is_none_or(|who| who.is(&counted.fave.person))
            && self.text.as_ref().is_none_or(|it| it.is_in(&counted.fave.item))
    }
}

/// How records of a kind are named in a block: `hype-train` is `HypeTrain` there.
fn marker(kind: &str) -> String {
    if kind == FAVE {
        return "Faves".to_owned();
    }
    let mut name = String::new();
    for part in kind.split('-') {
        let mut letters = part.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(letters.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_as_in_the_log() {
        assert_eq!(["chat", "hype-train", "fave"].map(marker), ["Chat", "HypeTrain", "Faves"]);
    }
}
