//! What the events since the last commit have decided: the overlay, the records, and what leaves after the commit.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::chain::timers::Timers;
use crate::contract::digest::Digest;
use crate::contract::{Event, Fave, Message, NewFave};
use crate::error::{Fault, StoreError};
use crate::overlay::Overlay;
use crate::store::letter::Letter;
use crate::store::record::Record;
use crate::store::tables::SlotKey;

/// How many rows of a generation that is gone one commit removes.
const REMOVED_AT_ONCE: usize = 200;

/// A line that a rule wants to have said in chat. It is said at most once, after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    /// Login of the channel.
    pub channel: Arc<str>,
    /// The line.
    pub text: String,
    /// When the rule asked, in milliseconds since 1970: dropped when it cannot be said within 10 seconds.
    pub at: u64,
}

pub(crate) struct Pending {
    /// Lent to a guest for the time of its call.
    pub(crate) overlay: Option<Box<Overlay>>,
    pub(crate) timers: Timers,
    pub(crate) records: Vec<Record>,
    /// Whether there is a log; a run has none.
    pub(crate) is_logged: bool,
    pub(crate) says: Vec<Say>,
    /// Messages to be sent at most once: they leave after the commit and are not kept.
    pub(crate) passing: Vec<Message>,
    /// Roughly how large the records are, in bytes.
    pub(crate) bytes: usize,
    /// Messages that no broker has acknowledged.
    pub(crate) outbox: u64,
    /// Clips that nobody has made.
    pub(crate) clips: u64,
    /// Generations that nothing goes on with; their rows go a few with each commit.
    pub(crate) removals: VecDeque<Arc<SlotKey>>,
    /// Something is pending that must be durable before anyone outside hears of it.
    pub(crate) urgent: bool,
    /// Something is pending at all.
    pub(crate) dirty: bool,
}

/// What an accepted answer means for the fave or the event that it answers.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) faves: Vec<NewFave>,
    pub(crate) weight: Option<i64>,
    pub(crate) dropped: bool,
}

impl Pending {
    pub(crate) fn overlay(&mut self) -> &mut Overlay {
        self.overlay.as_mut().expect("the overlay is lent only while a guest runs")
    }

    pub(crate) fn record(&mut self, record: Record) {
        self.record_at(self.records.len(), || record);
    }

    /// Puts a record before what came of it. Nothing is made of it where there is no log.
    pub(crate) fn record_at(&mut self, place: usize, record: impl FnOnce() -> Record) {
        if self.is_logged {
            self.records.insert(place, record());
        }
        self.dirty = true;
    }

    pub(crate) fn fault(
        &mut self,
        (slot, digest): (&SlotKey, Digest),
        now: u64,
        call: u32,
        fault: &Fault,
        event: &Event,
    ) {
        self.bytes += 500;
        if !self.is_logged {
            return;
        }
        self.overlay().kept.letters.push(Letter {
            at: now,
            channel: slot.channel.to_string(),
            slot: slot.slot.to_string(),
            digest,
            call,
            cause: fault.to_string(),
            event: event.clone(),
        });
        self.record(Record::Fault {
            now,
            channel: slot.channel.to_string(),
            slot: slot.slot.to_string(),
            digest,
            call,
            cause: fault.to_string(),
        });
    }

    /// Throws away the letters of a formula since then: the rule that is live again has answered those events, and would count them
    /// twice.
    pub(crate) fn forget_letters(
        &mut self,
        slot: &SlotKey,
        digest: Digest,
        since: u64,
    ) -> Result<(), StoreError> {
        let is_it = |letter: &Letter| {
            letter.channel == *slot.channel
                && letter.slot == *slot.slot
                && letter.digest == digest
                && letter.at >= since
        };
        let stored = self.overlay().snapshot().letters()?;
        let stored = stored.into_iter().filter(|(_, letter)| is_it(letter));
        let kept = &mut self.overlay().kept;
        kept.answered.extend(stored.map(|(number, _)| number));
        kept.letters.retain(|letter| !is_it(letter));
        Ok(())
    }

    /// Counts a fave. It is durable before anyone hears of it.
    pub(crate) fn count(&mut self, channel: &Arc<str>, fave: &Fave) -> Result<(), StoreError> {
        self.overlay().count(channel, fave)?;
        self.urgent = true;
        Ok(())
    }

    /// Nothing goes on with this generation.
    pub(crate) fn remove_later(&mut self, key: SlotKey) {
        let key = Arc::new(key);
        self.timers.forget(&key);
        self.removals.push_back(key);
        self.dirty = true;
    }

    /// Removes some rows of generations that nothing goes on with.
    pub(crate) fn remove_some(&mut self) -> Result<(), StoreError> {
        let Some(key) = self.removals.front().map(Arc::clone) else { return Ok(()) };
        let overlay = self.overlay();
        let entries = overlay.scan_state(&key, "", None, REMOVED_AT_ONCE)?;
        let alarms = overlay.alarms(&key)?;
        if entries.is_empty() && alarms.is_empty() {
            overlay.forget(&key);
            self.removals.pop_front();
            return Ok(());
        }
        for entry in entries {
            overlay.put_state(&key, entry.key, None);
        }
        for (name, _) in alarms {
            overlay.set_timer(&key, name, None);
        }
        Ok(())
    }
}
