//! Taking back: which events and faves it is about, the counts at once, and the rules' state from a run that leaves them out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::chain::usage::StateUse;
use crate::contract::digest::Digest;
use crate::contract::typed::composed;
use crate::contract::{Event, Fave, Happening};
use crate::engine::Engine;
use crate::engine::request::ChangeRequest;
use crate::engine::swap::RuleState;
use crate::error::StoreError;
use crate::store::changes::Action;
use crate::store::forget::who::IdentityError;
use crate::store::record::Record;
use crate::store::snapshot::Snapshot;

/// What is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoTarget {
    /// The chat lines and the faves of one person, whatever their login was: an id, a login or a name.
    Person(String),
    /// The same of several people.
    People(Vec<String>),
    /// The faves of one item, whoever gave them.
    Item(String),
    /// All faves.
    Faves,
    /// One event, by its id.
    Event(String),
    /// What a component did that is not live any more: what is live now stands in for it.
    Component(Digest),
}

/// What taking back is about, as the log has it.
#[derive(Debug, Clone, Default)]
pub struct Undo {
    /// Login of the channel.
    pub channel: String,
    /// Ids of the events that are left out.
    pub events: BTreeSet<String>,
    /// Names of people whom nobody in the channel has ever had, or the id of an event that the whole log does not have.
    pub unknown: Vec<String>,
    /// The component that something else stands in for.
    pub without: Option<Digest>,
    /// The faves that do not count any more.
    pub taken: Vec<Fave>,
    /// When the first of it happened, in milliseconds since 1970; none when there is nothing.
    pub first: Option<u64>,
    /// When the log begins, where that is later than what was asked for.
    pub log_begins: Option<u64>,
}

impl Snapshot {
    /// Looks up what is taken back, in the log since this time. It is read whole from there: not for the engine's thread.
    pub fn undo(
        &self,
        channel: &str,
        target: &UndoTarget,
        since: u64,
    ) -> Result<Undo, IdentityError> {
        self.undo_within(channel, target, since, u64::MAX)
    }

    /// The same of what happened before a time as well.
    pub fn undo_within(
        &self,
        channel: &str,
        target: &UndoTarget,
        since: u64,
        until: u64,
    ) -> Result<Undo, IdentityError> {
        let mut undo = Undo { channel: channel.to_owned(), ..Undo::default() };
        let mut undone = BTreeSet::new();
        let mut faves: Vec<(String, Fave)> = Vec::new();
        let mut records = self.records_since(since)?;
        records.retain(|record| record.channel() == channel);
        let before = records.partition_point(|record| record.at() < until);
        let who = self.ids_of(channel, target, &records[..before], &mut undo.unknown)?;
        for record in records {
            let at = record.at();
            match record {
                // What was taken back later counts for what is before the end, too.
                Record::Event { .. } | Record::Faves { .. } if at >= until => {}
                Record::Event { event, .. } if target.is_meant(&who, &event) => {
                    undo.first.get_or_insert(at);
                    undo.events.insert(event.id);
                }
                Record::Faves { event, faves: counted, .. } => {
                    for counted in counted {
                        let meant = target.is_meant_fave(&who, &event, &counted.fave);
                        if meant {
                            undo.first.get_or_insert(at);
                            undo.events.insert(event.clone());
                            faves.push((event.clone(), counted.fave));
                        }
                    }
                }
                Record::Chain { slots, .. } => {
                    if let UndoTarget::Component(digest) = target
                        && slots.iter().any(|(_, live, _)| live == digest)
                    {
                        undo.first.get_or_insert(at);
                        undo.without = Some(*digest);
                    }
                }
                Record::Undone { events, without, .. } => {
                    undone.extend(events);
                    // It can only be live again after another chain.
                    if without.is_some() && without == undo.without {
                        (undo.without, undo.first) = (None, None);
                    }
                }
                _ => {}
            }
        }
        let whole = since == 0 && until == u64::MAX;
        if let UndoTarget::Event(id) = target
            && whole
            && !undo.events.contains(id)
        {
            undo.unknown.push(id.clone());
        }
        undo.events.retain(|event| !undone.contains(event));
        faves.retain(|(event, _)| !undone.contains(event));
        undo.taken = faves.into_iter().map(|(_, fave)| fave).collect();
        if undo.events.is_empty() && undo.without.is_none() {
            undo.first = None;
        }
        // A log that still has its first record has lost nothing.
        undo.log_begins = match self.is_whole()? {
            true => None,
            false => self.oldest()?.filter(|oldest| *oldest > since),
        };
        Ok(undo)
    }

    /// Who is meant, by ids: logins change hands.
    fn ids_of(
        &self,
        channel: &str,
        target: &UndoTarget,
        records: &[Record],
        unknown: &mut Vec<String>,
    ) -> Result<BTreeSet<String>, IdentityError> {
        let names = match target {
            UndoTarget::Person(name) => std::slice::from_ref(name),
            UndoTarget::People(names) => names,
            _ => &[],
        };
        let mut who = BTreeSet::new();
        for name in names {
            let found = self.who_is_meant(channel, name, records)?;
            if found.is_empty() {
                unknown.push(name.clone());
            }
            who.extend(found);
        }
        Ok(who)
    }
}

impl UndoTarget {
    /// Whether an event is left out: of a person only what was written in chat, since a subscription is not undone by a moderator.
    fn is_meant(&self, who: &BTreeSet<String>, event: &Event) -> bool {
        match (self, &event.what) {
            (Self::Person(_) | Self::People(_), Happening::Chat(line)) => {
                who.contains(&line.person.id)
            }
            (Self::Event(id), _) => event.id == *id,
            _ => false,
        }
    }

    /// Whether a fave is taken back that this event has brought.
    fn is_meant_fave(&self, who: &BTreeSet<String>, event: &str, fave: &Fave) -> bool {
        match self {
            Self::Person(_) | Self::People(_) => who.contains(&fave.person.id),
            Self::Item(item) => composed(&fave.item) == composed(item),
            Self::Faves => true,
            Self::Event(id) => event == id,
            Self::Component(_) => false,
        }
    }
}

impl Engine {
    /// Takes faves out of the counts, and notes that a run leaves these events out from now on.
    pub fn take_back_faves(
        &mut self,
        undo: &Undo,
        order: &ChangeRequest,
    ) -> Result<(), StoreError> {
        self.correct(undo, undo.taken.clone(), Vec::new(), order)
    }

    /// Takes faves out of the counts and puts others in.
    pub fn correct(
        &mut self,
        undo: &Undo,
        taken: Vec<Fave>,
        given: Vec<Fave>,
        order: &ChangeRequest,
    ) -> Result<(), StoreError> {
        let channel: Arc<str> = undo.channel.as_str().into();
        // First what is added, so that no count goes below nothing on the way.
        for fave in &given {
            self.pending.overlay().count(&channel, fave)?;
        }
        for fave in &taken {
            self.pending.overlay().uncount(&channel, fave)?;
        }
        let events = undo.events.iter().cloned().collect();
        let (now, channel, without) = (self.now, undo.channel.clone(), undo.without);
        self.pending.record(Record::Undone { now, channel, events, without, taken, given });
        let order = ChangeRequest { action: Action::Undo, ..order.clone() };
        self.audit(&undo.channel, "", undo.without, None, &order, None);
        self.pending.mark_urgent();
        Ok(())
    }

    /// Ends the probation of all slots of a channel: the rules before have seen what is taken back, so going back to them as they are
    /// would bring it back. What was live before can still be deployed again.
    fn end_standbys(&mut self, channel: &str) -> Result<(), StoreError> {
        let Some(chain) = self.channels.get(channel) else { return Ok(()) };
        let tried = chain.slots.iter().filter(|slot| slot.standby.is_some());
        let tried: Vec<_> = tried.map(|slot| Arc::clone(&slot.key)).collect();
        tried.iter().try_for_each(|slot| self.end_probation(slot))
    }

    /// Gives the slots of a channel the state that a run has made, which has followed the log to its end.
    ///
    /// Only what differs is written. Returns the outputs that changed: name, before, after.
    pub fn adopt(
        &mut self,
        channel: &str,
        states: BTreeMap<String, RuleState>,
    ) -> Result<Vec<(String, Option<String>, Option<String>)>, StoreError> {
        let mut changed = Vec::new();
        for (name, state) in states {
            let Some(slot) = self.slot(channel, &name) else { continue };
            let key = Arc::clone(&slot.key);
            let before = self.pending.overlay().scan_state(&key, "", None, usize::MAX)?;
            let mut before: BTreeMap<String, Vec<u8>> =
                before.into_iter().map(|entry| (entry.key, entry.value)).collect();
            let mut usage = StateUse::default();
            for entry in state.entries {
                usage.replace(entry.key.len(), None, Some(entry.value.len()));
                if before.remove(&entry.key).is_none_or(|value| value != entry.value) {
                    self.pending.overlay().put_state(&key, entry.key, Some(entry.value));
                }
            }
            for gone in before.into_keys() {
                self.pending.overlay().put_state(&key, gone, None);
            }
            for (alarm, _) in self.pending.timers.of(&key) {
                self.pending.timers.set(&key, &alarm, None);
                self.pending.overlay().set_timer(&key, alarm, None);
            }
            for (alarm, at) in state.alarms {
                self.pending.timers.set(&key, &alarm, Some(at));
                self.pending.overlay().set_timer(&key, alarm, Some(at));
            }
            let shown = self.pending.overlay().shown_by(&key.channel, &name)?;
            let names: BTreeSet<String> = shown.keys().chain(state.shown.keys()).cloned().collect();
            for output in names {
                let was = shown.get(&output).cloned().flatten();
                let is = state.shown.get(&output).cloned().filter(|text| !text.is_empty());
                if was != is {
                    let (slot, text) = (Arc::clone(&key.slot), is.clone());
                    self.pending.overlay().show(&key.channel, output.clone(), slot, text);
                    changed.push((output, was, is));
                }
            }
            if let Some(slot) = self.slot_mut(channel, &name) {
                slot.usage = usage;
            }
        }
        self.end_standbys(channel)?;
        self.pending.mark_urgent();
        Ok(changed)
    }
}
