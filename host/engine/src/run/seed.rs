//! What a run begins from: the state of a channel as it is, or as it was at a checkpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::contract::digest::Digest;
use crate::contract::event::by_login;
use crate::contract::{Fave, Tally};
use crate::error::StoreError;
use crate::guest::rule::Rule;
use crate::overlay::Overlay;
use crate::store::Store;
use crate::store::checkpoint::{Checkpoint, SlotState};
use crate::store::counts::TallyKey;
use crate::store::forget::who::Identity;
use crate::store::record::{CountChange, Imported, Record};
use crate::store::snapshot::Snapshot;
use crate::store::tables::{SlotKey, Stream};

/// The state of one channel at one time.
#[derive(Clone)]
pub struct Seed {
    pub(crate) channel: String,
    pub(crate) at: u64,
    /// The number of the first record that the state does not know of.
    next: u64,
    pub(crate) slots: Vec<SlotState>,
    tallies: Vec<(TallyKey, Tally)>,
    people: Vec<(String, (String, String))>,
    stream: Option<Stream>,
    /// Faves that were counted later.
    later: Vec<Fave>,
    /// Faves that were counted later and taken back since.
    taken: Vec<Fave>,
    /// Counts that an import has added later.
    imported: Vec<Imported>,
    /// Whose id was known later, by the id that stood for the login before.
    joined: BTreeMap<String, String>,
    /// Ids of somebody who never was.
    forgotten: BTreeSet<String>,
    /// Events that were taken back since.
    pub(crate) undone: BTreeSet<String>,
    /// Components that were taken back since.
    pub(crate) without: BTreeSet<Digest>,
}

impl Seed {
    /// The channel as of the last commit, with these rules in its slots.
    pub fn present(
        snapshot: &Snapshot,
        channel: &str,
        rules: &[(String, Rule)],
    ) -> Result<Self, StoreError> {
        let mut slots = Vec::new();
        for (slot, rule) in rules {
            let owner = snapshot.owner(channel, slot)?;
            let generation = owner.as_ref().map_or(0, |owner| owner.generation);
            let key = SlotKey { channel: channel.into(), slot: slot.as_str().into(), generation };
            let description = rule.description();
            slots.push(SlotState {
                slot: slot.clone(),
                digest: rule.digest(),
                settings: rule.settings().clone(),
                version: owner.as_ref().map_or(description.state_version, |it| it.version),
                rule: owner.map_or_else(|| description.name.clone(), |it| it.rule),
                on: true,
                entries: snapshot.entries(&key)?,
                alarms: snapshot.alarms(&key)?,
                shown: snapshot.shown_by(channel, slot)?,
            });
        }
        Ok(Self {
            slots,
            at: snapshot.newest()?,
            next: snapshot.next_record()?,
            ..Self::counted(snapshot, channel)?
        })
    }

    /// The channel as it was at the last checkpoint before this time. None: the store has no checkpoint as old.
    pub fn checkpoint(
        snapshot: &Snapshot,
        channel: &str,
        before: u64,
    ) -> Result<Option<Self>, StoreError> {
        Self::checkpoint_with_log(snapshot, channel, before, |_| {})
    }

    /// As [`Seed::checkpoint`], and tells every record of the channel since then, in order: the log is read once for both.
    pub fn checkpoint_with_log(
        snapshot: &Snapshot,
        channel: &str,
        before: u64,
        tell: impl FnMut(Record),
    ) -> Result<Option<Self>, StoreError> {
        match snapshot.checkpoint_before(channel, before)? {
            Some(found) => Self::of_checkpoint(snapshot, channel, found, tell).map(Some),
            None => Ok(None),
        }
    }

    /// The records of the channel since then, in order. They are read as they are asked for: a log may be larger than what a machine has
    /// in memory.
    pub fn log(
        &self,
        snapshot: &Snapshot,
    ) -> Result<impl Iterator<Item = Result<Record, StoreError>> + use<>, StoreError> {
        let channel = self.channel.clone();
        Ok(snapshot.blocks(self.next)?.flat_map(move |block| match block {
            Ok((_, mut records)) => {
                records.retain(|record| record.channel() == channel);
                records.into_iter().map(Ok).collect()
            }
            Err(error) => vec![Err(error)],
        }))
    }

    /// The channel as it was at the last checkpoint that does not know this record.
    pub(crate) fn before_record(
        snapshot: &Snapshot,
        channel: &str,
        record: u64,
    ) -> Result<Option<Self>, StoreError> {
        match snapshot.last_checkpoint(channel, |next, _| next <= record)? {
            Some(found) => Self::of_checkpoint(snapshot, channel, found, |_| {}).map(Some),
            None => Ok(None),
        }
    }

    fn of_checkpoint(
        snapshot: &Snapshot,
        channel: &str,
        (next, checkpoint): (u64, Checkpoint),
        mut tell: impl FnMut(Record),
    ) -> Result<Self, StoreError> {
        let mut seed = Self {
            at: checkpoint.at,
            next,
            slots: checkpoint.slots,
            stream: checkpoint.stream.map(|(live, since)| Stream { live, since }),
            ..Self::counted(snapshot, channel)?
        };
        for block in snapshot.blocks(next)? {
            for record in block?.1.into_iter().filter(|it| it.channel() == channel) {
                seed.note(&record);
                tell(record);
            }
        }
        Ok(seed)
    }

    /// Takes note of what has changed the counts since, and of what was taken back.
    fn note(&mut self, record: &Record) {
        match record.counts() {
            CountChange::Faves { given, taken } => {
                self.later.extend(given.into_iter().cloned());
                self.taken.extend(taken.iter().cloned());
            }
            CountChange::Imported(counts) => self.imported.extend(counts.iter().cloned()),
            CountChange::Joined(person) => {
                self.joined.insert(by_login(&person.login), person.id.clone());
            }
            CountChange::Nothing => {}
        }
        if let Record::Undone { events, without, .. } = record {
            self.undone.extend(events.iter().cloned());
            self.without.extend(*without);
        }
    }

    /// A channel in which nothing has happened, with these rules in its slots.
    pub fn empty(channel: &str, rules: &[(String, Rule)], at: u64) -> Self {
        let slots = rules.iter().map(|(slot, rule)| SlotState {
            slot: slot.clone(),
            digest: rule.digest(),
            settings: rule.settings().clone(),
            version: rule.description().state_version,
            rule: rule.description().name.clone(),
            on: true,
            entries: Vec::new(),
            alarms: Vec::new(),
            shown: BTreeMap::new(),
        });
        Self {
            channel: channel.to_owned(),
            at,
            next: 0,
            slots: slots.collect(),
            tallies: Vec::new(),
            people: Vec::new(),
            stream: None,
            later: Vec::new(),
            taken: Vec::new(),
            imported: Vec::new(),
            joined: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            undone: BTreeSet::new(),
            without: BTreeSet::new(),
        }
    }

    fn counted(snapshot: &Snapshot, channel: &str) -> Result<Self, StoreError> {
        let tallies = snapshot.tallies(channel)?;
        let people = snapshot.people_of(channel)?.into_iter();
        let people = people.map(|it| (it.id, (it.login, it.name))).collect();
        Ok(Self {
            tallies,
            people,
            stream: snapshot.stream(channel)?,
            ..Self::empty(channel, &[], 0)
        })
    }

    /// Leaves a person out: what is counted for them, and what the rules keep under their name.
    pub(crate) fn without(&mut self, who: &Identity) {
        self.forgotten.extend(who.ids().cloned());
        for slot in &mut self.slots {
            slot.entries.retain(|entry| !who.is_named_in_key(&entry.key));
            slot.alarms.retain(|(name, _)| !who.is_named_in_key(name));
        }
    }

    /// The number of the first record of the log that a run from here has to follow.
    pub fn next_record(&self) -> u64 {
        self.next
    }

    /// The time of the seed, in milliseconds since 1970.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// A store in memory that holds it.
    pub(super) fn store(&self) -> Result<Store, StoreError> {
        let store = Store::in_memory()?;
        let mut overlay = Overlay::new(store.snapshot()?)?;
        let channel: Arc<str> = self.channel.as_str().into();
        for state in &self.slots {
            let slot = state.slot.as_str().into();
            let key = Arc::new(SlotKey { channel: Arc::clone(&channel), slot, generation: 0 });
            overlay.admin_rows().own(&key, state.version, &state.rule);
            for entry in &state.entries {
                overlay.put_state(&key, entry.key.clone(), Some(entry.value.clone()));
            }
            for (name, text) in &state.shown {
                let (slot, text) = (Arc::clone(&key.slot), Some(text.clone()));
                overlay.show(&channel, name.clone(), slot, text);
            }
            for (name, at) in &state.alarms {
                overlay.set_timer(&key, name.clone(), Some(*at));
            }
        }
        for (key, tally) in &self.tallies {
            overlay.set_tally(&channel, key.clone(), *tally);
        }
        for (id, names) in &self.people {
            overlay.set_names(&channel, id.clone(), names.clone());
        }
        // First what is added, so that no count goes below nothing on the way.
        for fave in &self.taken {
            overlay.count(&channel, fave)?;
        }
        for fave in &self.later {
            overlay.uncount(&channel, fave)?;
        }
        for it in &self.imported {
            // They are counted where they have gone to since.
            let id = self.joined.get(&it.person.id).unwrap_or(&it.person.id);
            overlay.take(&channel, id, &it.item, (it.faves, it.weight))?;
        }
        for id in &self.forgotten {
            overlay.remove_person(&channel, id)?;
        }
        if let Some(stream) = self.stream {
            overlay.set_stream(&channel, stream);
        }
        store.write(|transaction| overlay.write(transaction, 0))?;
        Ok(store)
    }
}
