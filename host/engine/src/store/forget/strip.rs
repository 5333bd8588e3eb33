//! Takes a person out of the records of the log. What is left is a log in which they have never been.

use std::collections::BTreeSet;

use crate::contract::event::person_in;
use crate::contract::{Fave, Happening};
use crate::store::forget::who::Identity;
use crate::store::record::Record;

/// What stands in the place of a text that named somebody.
pub(crate) const INSTEAD: &str = "…";

/// What is found of a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErasureSummary {
    /// Events of theirs in the log.
    pub events: u64,
    /// Faves of theirs that were counted, as far as the log goes back.
    pub faves: u64,
    /// Calls that failed on an event of theirs.
    pub dead_letters: u64,
    /// Entries of the audit log that name them.
    pub audit_entries: u64,
    /// Checkpoints that are made again without them.
    pub remade: u64,
    /// Checkpoints that are dropped.
    pub dropped: u64,
    /// Chat lines of other people that name them: those stay.
    pub quoted: u64,
}

/// One way through the log.
pub(super) struct Strip<'a> {
    pub(super) channel: &'a str,
    pub(super) who: &'a Identity,
    /// Ids of the events that are gone.
    pub(super) gone: &'a mut BTreeSet<String>,
    pub(super) lost: &'a mut ErasureSummary,
}

impl Strip<'_> {
    /// The records of one block without the person, and the place of the first one that was theirs. None: nothing was.
    pub(super) fn block(&mut self, records: &[Record]) -> Option<(Vec<Record>, usize)> {
        let mut left = Vec::with_capacity(records.len());
        let mut first = None;
        // Faults belong to the event before them.
        let mut after_gone = false;
        for (place, record) in records.iter().enumerate() {
            if record.channel() != self.channel {
                left.push(record.clone());
                continue;
            }
            let kept = match record {
                Record::Fault { .. } if after_gone => None,
                record => self.record(record, records),
            };
            if !matches!(record, Record::Fault { .. } | Record::Faves { .. }) {
                after_gone = kept.is_none();
            }
            if kept.as_ref() != Some(record) {
                first.get_or_insert(place);
            }
            left.extend(kept);
        }
        first.map(|first| (left, first))
    }

    fn record(&mut self, record: &Record, block: &[Record]) -> Option<Record> {
        let who = self.who;
        let mut record = record.clone();
        match &mut record {
            Record::Event { event, .. } | Record::Retried { event, .. } => {
                let theirs = person_in(&event.what).is_some_and(|it| who.is(it));
                let asked_for =
                    matches!(event.what, Happening::Mqtt(_)) && self.all_theirs(&event.id, block);
                if theirs || asked_for || self.gone.contains(&event.id) {
                    self.gone.insert(event.id.clone());
                    self.lost.events += 1;
                    return None;
                }
                self.lost.quoted += u64::from(quotes(who, &event.what));
                unname(who, &mut event.what);
            }
            Record::Fault { cause, .. } if who.is_named_in(cause) => INSTEAD.clone_into(cause),
            Record::Faves { faves, .. } => {
                let before = faves.len();
                faves.retain(|it| !who.is(&it.fave.person));
                self.lost.faves += (before - faves.len()) as u64;
                if faves.is_empty() {
                    return None;
                }
            }
            Record::Undone { events, without, taken, given, .. } => {
                let had = events.len() + taken.len() + given.len();
                events.retain(|id| !self.gone.contains(id));
                let others = |fave: &Fave| !who.is(&fave.person);
                taken.retain(others);
                given.retain(others);
                let has = events.len() + taken.len() + given.len();
                if has == 0 && had > 0 && without.is_none() {
                    return None;
                }
            }
            Record::Handed { entries, alarms, shown, .. } => {
                entries.retain(|it| {
                    !who.is_named_in_key(&it.key) && !who.is_named_in_bytes(&it.value)
                });
                alarms.retain(|(name, _)| !who.is_named_in_key(name));
                shown.retain(|_, text| !who.is_named_in(text));
            }
            Record::Imported { counts, .. } => {
                counts.retain(|it| !who.is(&it.person));
                if counts.is_empty() {
                    return None;
                }
            }
            Record::Joined { person, .. } if who.is(person) => return None,
            _ => {}
        }
        Some(record)
    }

    /// Whether every fave that a message has brought was theirs: then it was sent for them.
    fn all_theirs(&self, id: &str, block: &[Record]) -> bool {
        let mut faves = block.iter().filter_map(|record| match record {
            Record::Faves { channel, event, faves, .. }
                if channel == self.channel && event == id =>
            {
                Some(faves)
            }
            _ => None,
        });
        let mut faves = faves.by_ref().flatten().peekable();
        faves.peek().is_some() && faves.all(|it| self.who.is(&it.fave.person))
    }
}

/// Whether what somebody else wrote names them.
fn quotes(who: &Identity, what: &Happening) -> bool {
    match what {
        Happening::Chat(line) => who.is_named_in(&line.text),
        Happening::Mqtt(message) => who.is_named_in_bytes(&message.payload),
        _ => false,
    }
}

/// Takes the person out of an event of somebody else.
fn unname(who: &Identity, what: &mut Happening) {
    match what {
        Happening::Chat(line) if line.reply_to.as_ref().is_some_and(|it| who.has_login(it)) => {
            line.reply_to = None;
        }
        Happening::Gift(gift) if gift.receiver.as_ref().is_some_and(|it| who.is(it)) => {
            gift.receiver = None;
        }
        _ => {}
    }
}
