//! Forgetting a person, as far as the store goes: the log without them, checkpoints, dead letters and the audit log.
//!
//! [`Identity`] is who is meant, `strip` takes them out of records, `write` writes what is left. The log is read and written again beside the
//! engine's thread, up to a snapshot; the engine does what has come since then, the counts and the rules' state. Blocks keep the number
//! of their first record, which is all that anything refers to: a block may have fewer records than there are numbers to the next one.

pub(crate) mod strip;
pub(crate) mod who;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use redb::ReadableTable;

use crate::contract::event::person_in;
use crate::contract::{Entry, Tally};
use crate::error::StoreError;
use crate::store::changes::AuditEntry;
use crate::store::checkpoint::Checkpoint;
use crate::store::dead_letter::DeadLetter;
use crate::store::forget::strip::{ErasureSummary, INSTEAD, Strip};
use crate::store::forget::who::Identity;
use crate::store::log::{Block, decode, encode, pack, unpack};
use crate::store::snapshot::Snapshot;

/// A block as it was, and as it is without the person; none: nothing is left of it.
type Rewritten = ((u64, u64, u32), Option<Block>);

/// A person who is going to be forgotten, and everything that is written again for it.
pub struct Erasure {
    pub(crate) channel: String,
    pub(crate) who: Identity,
    blocks: BTreeMap<u64, Rewritten>,
    /// The number of the first record that was not read.
    read_to: u64,
    /// By the number of the next record: when, and the state without them. None: it is dropped.
    pub(crate) checkpoints: BTreeMap<u64, (u64, Option<Vec<u8>>)>,
    /// Ids of the events that are gone.
    gone: BTreeSet<String>,
    /// The number of the first record that is not as it was.
    pub(crate) first: Option<u64>,
    /// The slots of the channel, whose state the engine writes itself.
    pub(crate) live: BTreeSet<String>,
    pub(crate) lost: ErasureSummary,
}

/// Something that still names a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// What it is: `state`, `output`, `message`, `clip`.
    pub what: &'static str,
    /// The slot, the name of the output, the topic, the title.
    pub place: String,
    /// How often.
    pub count: u64,
}

impl Snapshot {
    /// Reads the whole log, and makes it again without a person. Not for the engine's thread.
    pub fn erasure(&self, channel: &str, who: &Identity) -> Result<Erasure, StoreError> {
        let mut it = Erasure {
            channel: channel.to_owned(),
            who: who.clone(),
            blocks: BTreeMap::new(),
            read_to: 0,
            checkpoints: BTreeMap::new(),
            gone: BTreeSet::new(),
            first: None,
            live: BTreeSet::new(),
            lost: ErasureSummary::default(),
        };
        it.read(self)?;
        it.read_checkpoints(self)?;
        for (_, letter) in self.dead_letters()? {
            it.lost.dead_letters += u64::from(it.is_theirs(&letter));
        }
        for (_, mut entry) in self.audit(usize::MAX)? {
            it.lost.audit_entries += u64::from(it.unname_audit_entry(&mut entry));
        }
        Ok(it)
    }

    /// What a person's faves come to.
    pub fn tally_of(&self, channel: &str, who: &Identity) -> Result<Tally, StoreError> {
        let mut sum = Tally { faves: 0, weight: 0, people: 0 };
        for id in who.ids() {
            for tally in self.items_of(channel, id)?.values() {
                sum.faves += tally.faves;
                sum.weight += tally.weight;
            }
        }
        Ok(sum)
    }

    /// What names a person now: values of the rules' state, outputs, what waits to be sent.
    pub fn mentions(&self, channel: &str, who: &Identity) -> Result<Vec<Mention>, StoreError> {
        let mut found: BTreeMap<(&'static str, String), u64> = BTreeMap::new();
        let mut note = |what, place: &str| *found.entry((what, place.to_owned())).or_default() += 1;
        for row in self.tables.state()?.range((channel, "", 0, "")..)? {
            let (key, value) = row?;
            let (of, slot, _, key) = key.value();
            if of != channel {
                break;
            }
            if who.is_named_in_key(key) || who.is_named_in_bytes(value.value()) {
                note("state", slot);
            }
        }
        for row in self.tables.outputs()?.range((channel, "")..)? {
            let (key, value) = row?;
            if key.value().0 != channel {
                break;
            }
            if value.value().1.is_some_and(|text| who.is_named_in(text)) {
                note("output", key.value().1);
            }
        }
        for row in self.tables.outbox()?.iter()? {
            let (_, message) = row?;
            let (topic, payload) = message.value();
            if who.is_named_in(topic) || who.is_named_in_bytes(payload) {
                note("message", topic);
            }
        }
        for row in self.tables.clips()?.iter()? {
            let (_, clip) = row?;
            let (of, title, _) = clip.value();
            if of == channel && who.is_named_in(title) {
                note("clip", title);
            }
        }
        let mention = |((what, place), count)| Mention { what, place, count };
        Ok(found.into_iter().map(mention).collect())
    }
}

impl Erasure {
    /// What is found of the person.
    pub fn lost(&self) -> ErasureSummary {
        self.lost
    }

    /// Ids of the events that are gone: a run leaves them out.
    pub(crate) fn gone(&self) -> &BTreeSet<String> {
        &self.gone
    }

    /// Reads what has come since, and drops the checkpoints that were made meanwhile: they know the person.
    pub(crate) fn read_on(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let read_to = self.read_to;
        self.read(snapshot)?;
        let channel = self.channel.clone();
        for row in snapshot
            .tables
            .checkpoints()?
            .range((&*channel, read_to + 1)..=(&*channel, u64::MAX))?
        {
            let (key, value) = row?;
            self.checkpoints.entry(key.value().1).or_insert((value.value().0, None));
        }
        Ok(())
    }

    /// Reads the log from where it was read to.
    fn read(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        for row in snapshot.tables.log()?.range(self.read_to..)? {
            let (number, row) = row?;
            let (first_at, last_at, count, compressed) = row.value();
            let records = Block::decode(compressed)?;
            let Self { channel, who, gone, lost, .. } = self;
            let mut strip = Strip { channel, who, gone, lost };
            let Some((left, place)) = strip.block(&records) else { continue };
            self.first.get_or_insert(number.value() + place as u64);
            let block = Block::encode(number.value(), &left)?;
            self.blocks.insert(number.value(), ((first_at, last_at, count), block));
        }
        self.read_to = snapshot.next_record()?;
        Ok(())
    }

    /// Checkpoints from before the first of it lose the keys that are theirs; the later ones are dropped, unless a run makes them again.
    fn read_checkpoints(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let channel = self.channel.clone();
        for row in snapshot.tables.checkpoints()?.range((&*channel, 0)..=(&*channel, u64::MAX))? {
            let (key, value) = row?;
            let (number, (at, bytes)) = (key.value().1, value.value());
            let mut state: Checkpoint = decode(&unpack(bytes)?)?;
            let changed = self.unname_checkpoint(&mut state);
            let is_later = self.first.is_some_and(|first| number > first);
            let names = |it: &Entry| self.who.is_named_in_bytes(&it.value);
            let named = state.slots.iter().any(|slot| slot.entries.iter().any(names));
            if is_later || named {
                self.checkpoints.insert(number, (at, None));
                self.lost.dropped += 1;
            } else if changed {
                self.checkpoints.insert(number, (at, Some(pack(&encode(&state)?)?)));
                self.lost.remade += 1;
            }
        }
        Ok(())
    }

    fn unname_checkpoint(&self, state: &mut Checkpoint) -> bool {
        let who = &self.who;
        let mut changed = false;
        for slot in &mut state.slots {
            let had = (slot.entries.len(), slot.alarms.len(), slot.shown.len());
            slot.entries.retain(|entry| !who.is_named_in_key(&entry.key));
            slot.alarms.retain(|(name, _)| !who.is_named_in_key(name));
            slot.shown.retain(|_, text| !who.is_named_in(text));
            changed |= had != (slot.entries.len(), slot.alarms.len(), slot.shown.len());
        }
        changed
    }

    fn is_theirs(&self, letter: &DeadLetter) -> bool {
        let theirs = person_in(&letter.event.what).is_some_and(|it| self.who.is(it));
        letter.channel == self.channel && (theirs || self.gone.contains(&letter.event.id))
    }

    fn unname_audit_entry(&self, entry: &mut AuditEntry) -> bool {
        if entry.channel != self.channel {
            return false;
        }
        let texts = [&mut entry.by, &mut entry.note].into_iter().chain(&mut entry.refused);
        let named: Vec<&mut String> = texts.filter(|it| self.who.is_named_in(it)).collect();
        let changed = !named.is_empty();
        named.into_iter().for_each(|text| INSTEAD.clone_into(text));
        changed
    }
}
