//! What has been decided and not yet committed, over a snapshot of the store. Views read through it.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{ReadableTable, WriteTransaction};

use crate::contract::{ClipRequest, Entry, Fave, Message, Person, Tally};
use crate::error::StoreError;
use crate::store::{
    CLIPS, GENERATIONS, META, OUTBOX, OUTPUTS, PEOPLE, STATE, Snapshot, TALLIES, TIMERS,
};

/// Kinds of count, the second part of a tally's key.
pub(crate) const CHANNEL: u8 = 0;
const ITEM: u8 = 1;
const PERSON: u8 = 2;
const PERSON_ITEM: u8 = 3;

/// Whose state it is: the state of a slot in a channel, in one generation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotKey {
    /// Login of the channel.
    pub channel: Arc<str>,
    /// Name of the slot in the configuration.
    pub slot: Arc<str>,
    /// Rises when the state is taken over by another run of the chain.
    pub generation: u64,
}

type StateKey = (Arc<SlotKey>, String);
type TallyKey = (Arc<str>, u8, String, String);
/// (slot that shows it, text); no text when the output was taken back.
pub(crate) type ShownOutput = (Arc<str>, Option<String>);

/// Changes over a snapshot. Everything in it is written by one commit.
pub(crate) struct Overlay {
    snapshot: Snapshot,
    state: BTreeMap<StateKey, Option<Vec<u8>>>,
    generations: BTreeMap<(Arc<str>, Arc<str>), (u64, u32)>,
    tallies: BTreeMap<TallyKey, Tally>,
    people: BTreeMap<(Arc<str>, String), (String, String)>,
    pub(crate) outputs: BTreeMap<(Arc<str>, String), ShownOutput>,
    timers: BTreeMap<StateKey, Option<u64>>,
    pub(crate) outbox: BTreeMap<u64, Option<Message>>,
    clips: Vec<(u64, Arc<str>, ClipRequest)>,
    next_send: u64,
}

impl Overlay {
    pub(crate) fn new(snapshot: Snapshot) -> Result<Self, StoreError> {
        let next_send = snapshot.meta("next-send")?;
        Ok(Self {
            snapshot,
            state: BTreeMap::new(),
            generations: BTreeMap::new(),
            tallies: BTreeMap::new(),
            people: BTreeMap::new(),
            outputs: BTreeMap::new(),
            timers: BTreeMap::new(),
            outbox: BTreeMap::new(),
            clips: Vec::new(),
            next_send,
        })
    }

    /// The tables below the changes.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(crate) fn state(&self, slot: &SlotKey, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(changed) = self.state.get(&(Arc::new(slot.clone()), key.to_owned())) {
            return Ok(changed.clone());
        }
        let row = self.snapshot.state.get((&*slot.channel, &*slot.slot, slot.generation, key))?;
        Ok(row.map(|row| row.value().to_vec()))
    }

    pub(crate) fn scan_state(
        &self,
        slot: &SlotKey,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let from = after.filter(|after| *after >= prefix);
        let lowest = from.unwrap_or(prefix);
        let mut found: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let changes = self.state.range((Arc::new(slot.clone()), lowest.to_owned())..);
        let mine = || {
            changes
                .clone()
                .take_while(|((owner, key), _)| **owner == *slot && key.starts_with(prefix))
        };
        let changed = mine().count();
        let start = (&*slot.channel, &*slot.slot, slot.generation, lowest);
        for row in self.snapshot.state.range(start..)? {
            let (key, value) = row?;
            let (channel, name, generation, key) = key.value();
            let here =
                channel == &*slot.channel && name == &*slot.slot && generation == slot.generation;
            // As many rows as may be wanted, and one more for each that a change may hide.
            if !here || !key.starts_with(prefix) || found.len() > limit.saturating_add(changed) {
                break;
            }
            found.insert(key.to_owned(), value.value().to_vec());
        }
        for ((_, key), change) in mine() {
            match change {
                Some(value) => drop(found.insert(key.clone(), value.clone())),
                None => drop(found.remove(key)),
            }
        }
        let entries =
            found.into_iter().filter(|(key, _)| from.is_none_or(|after| key.as_str() > after));
        Ok(entries.take(limit).map(|(key, value)| Entry { key, value }).collect())
    }

    pub(crate) fn put_state(&mut self, slot: &Arc<SlotKey>, key: String, value: Option<Vec<u8>>) {
        self.state.insert((Arc::clone(slot), key), value);
    }

    pub(crate) fn set_generation(&mut self, slot: &SlotKey, state_version: u32) {
        let key = (Arc::clone(&slot.channel), Arc::clone(&slot.slot));
        self.generations.insert(key, (slot.generation, state_version));
    }

    fn tally(
        &self,
        channel: &Arc<str>,
        kind: u8,
        person: &str,
        item: &str,
    ) -> Result<Tally, StoreError> {
        if let Some(tally) =
            self.tallies.get(&(Arc::clone(channel), kind, person.to_owned(), item.to_owned()))
        {
            return Ok(*tally);
        }
        let row = self.snapshot.tallies.get((&**channel, kind, person, item))?;
        Ok(row.map_or(Tally::default(), |row| tally(row.value())))
    }

    pub(crate) fn channel_tally(&self, slot: &SlotKey) -> Result<Tally, StoreError> {
        self.tally(&slot.channel, CHANNEL, "", "")
    }

    pub(crate) fn item_tally(&self, slot: &SlotKey, item: &str) -> Result<Tally, StoreError> {
        self.tally(&slot.channel, ITEM, "", item)
    }

    pub(crate) fn person_tally(&self, slot: &SlotKey, person: &str) -> Result<Tally, StoreError> {
        self.tally(&slot.channel, PERSON, person, "")
    }

    pub(crate) fn person_item_tally(
        &self,
        slot: &SlotKey,
        person: &str,
        item: &str,
    ) -> Result<Tally, StoreError> {
        self.tally(&slot.channel, PERSON_ITEM, person, item)
    }

    /// Counts a fave: four tallies, and the person's name.
    pub(crate) fn count(&mut self, channel: &Arc<str>, fave: &Fave) -> Result<(), StoreError> {
        let (person, item) = (fave.person.id.as_str(), fave.item.as_str());
        let new_here = u32::from(self.tally(channel, PERSON, person, "")?.faves == 0);
        let new_pair = u32::from(self.tally(channel, PERSON_ITEM, person, item)?.faves == 0);
        self.add(channel, (CHANNEL, "", ""), fave.weight, new_here)?;
        self.add(channel, (ITEM, "", item), fave.weight, new_pair)?;
        self.add(channel, (PERSON, person, ""), fave.weight, new_here)?;
        self.add(channel, (PERSON_ITEM, person, item), fave.weight, new_pair)?;
        let name = (fave.person.login.clone(), fave.person.name.clone());
        self.people.insert((Arc::clone(channel), person.to_owned()), name);
        Ok(())
    }

    fn add(
        &mut self,
        channel: &Arc<str>,
        (kind, person, item): (u8, &str, &str),
        weight: i64,
        people: u32,
    ) -> Result<(), StoreError> {
        let mut tally = self.tally(channel, kind, person, item)?;
        tally.faves += 1;
        tally.weight = tally.weight.saturating_add(weight);
        tally.people += people;
        self.tallies.insert((Arc::clone(channel), kind, person.to_owned(), item.to_owned()), tally);
        Ok(())
    }

    /// The greatest items, and how many rows it took to find them.
    pub(crate) fn top_items(
        &self,
        slot: &SlotKey,
        limit: usize,
    ) -> Result<(Vec<(String, Tally)>, usize), StoreError> {
        let (top, rows) = self.top(&slot.channel, ITEM, limit)?;
        Ok((top.into_iter().map(|((_, item), tally)| (item, tally)).collect(), rows))
    }

    /// The greatest people, and how many rows it took to find them.
    pub(crate) fn top_people(
        &self,
        slot: &SlotKey,
        limit: usize,
    ) -> Result<(Vec<(Person, Tally)>, usize), StoreError> {
        let (top, rows) = self.top(&slot.channel, PERSON, limit)?;
        let named =
            top.into_iter().map(|((id, _), tally)| Ok((self.person(&slot.channel, id)?, tally)));
        Ok((named.collect::<Result<_, StoreError>>()?, rows))
    }

    fn top(
        &self,
        channel: &Arc<str>,
        kind: u8,
        limit: usize,
    ) -> Result<(Vec<((String, String), Tally)>, usize), StoreError> {
        let mut all: BTreeMap<(String, String), Tally> = BTreeMap::new();
        for row in self.snapshot.tallies.range((&**channel, kind, "", "")..)? {
            let (key, value) = row?;
            let (here, this, person, item) = key.value();
            if here != &**channel || this != kind {
                break;
            }
            all.insert((person.to_owned(), item.to_owned()), tally(value.value()));
        }
        let first = (Arc::clone(channel), kind, String::new(), String::new());
        let changed = self
            .tallies
            .range(first..)
            .take_while(|((here, this, ..), _)| here == channel && *this == kind);
        all.extend(
            changed.map(|((_, _, person, item), tally)| ((person.clone(), item.clone()), *tally)),
        );
        let rows = all.len();
        let mut top: Vec<_> = all.into_iter().collect();
        top.sort_by(|(name, one), (other, two)| {
            two.weight.cmp(&one.weight).then_with(|| name.cmp(other))
        });
        top.truncate(limit);
        Ok((top, rows))
    }

    fn person(&self, channel: &Arc<str>, id: String) -> Result<Person, StoreError> {
        let (login, name) = match self.people.get(&(Arc::clone(channel), id.clone())) {
            Some(names) => names.clone(),
            None => match self.snapshot.people.get((&**channel, id.as_str()))? {
                Some(row) => (row.value().0.to_owned(), row.value().1.to_owned()),
                None => (id.clone(), id.clone()),
            },
        };
        Ok(Person { id, login, name })
    }

    /// Who shows an output, and what.
    pub(crate) fn output(
        &self,
        channel: &Arc<str>,
        name: &str,
    ) -> Result<Option<ShownOutput>, StoreError> {
        if let Some(output) = self.outputs.get(&(Arc::clone(channel), name.to_owned())) {
            return Ok(Some(output.clone()));
        }
        let row = self.snapshot.outputs.get((&**channel, name))?;
        Ok(row.map(|row| (Arc::from(row.value().0), row.value().1.map(str::to_owned))))
    }

    /// Every output below the changes, with the slot that shows it.
    pub(crate) fn stored_outputs(
        &self,
    ) -> Result<Vec<((Arc<str>, String), ShownOutput)>, StoreError> {
        self.snapshot
            .outputs
            .iter()?
            .map(|row| {
                let (key, value) = row?;
                let ((channel, name), (slot, text)) = (key.value(), value.value());
                Ok((
                    (Arc::from(channel), name.to_owned()),
                    (Arc::from(slot), text.map(str::to_owned)),
                ))
            })
            .collect()
    }

    /// The stored timers of a slot.
    pub(crate) fn alarms(&self, slot: &SlotKey) -> Result<Vec<(String, u64)>, StoreError> {
        let mut alarms = Vec::new();
        for row in
            self.snapshot.timers.range((&*slot.channel, &*slot.slot, slot.generation, "")..)?
        {
            let (key, at) = row?;
            let (channel, name, generation, alarm) = key.value();
            if channel != &*slot.channel || name != &*slot.slot || generation != slot.generation {
                break;
            }
            alarms.push((alarm.to_owned(), at.value()));
        }
        Ok(alarms)
    }

    pub(crate) fn set_timer(&mut self, slot: &Arc<SlotKey>, name: String, at: Option<u64>) {
        self.timers.insert((Arc::clone(slot), name), at);
    }

    /// Puts a message into the outbox, from where it goes when a broker has acknowledged it.
    pub(crate) fn publish(&mut self, message: Message) {
        self.outbox.insert(self.next_send, Some(message));
        self.next_send += 1;
    }

    pub(crate) fn clip(&mut self, channel: &Arc<str>, clip: ClipRequest) {
        self.clips.push((self.next_send, Arc::clone(channel), clip));
        self.next_send += 1;
    }

    /// Writes every change.
    pub(crate) fn write(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        self.write_state(transaction)?;
        self.write_counts(transaction)?;
        self.write_outgoing(transaction)
    }

    fn write_state(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut state = transaction.open_table(STATE)?;
        for ((slot, key), value) in &self.state {
            let key = (&*slot.channel, &*slot.slot, slot.generation, key.as_str());
            match value {
                Some(value) => drop(state.insert(key, value.as_slice())?),
                None => drop(state.remove(key)?),
            }
        }
        let mut timers = transaction.open_table(TIMERS)?;
        for ((slot, name), at) in &self.timers {
            let key = (&*slot.channel, &*slot.slot, slot.generation, name.as_str());
            match at {
                Some(at) => drop(timers.insert(key, at)?),
                None => drop(timers.remove(key)?),
            }
        }
        let mut generations = transaction.open_table(GENERATIONS)?;
        for ((channel, slot), generation) in &self.generations {
            generations.insert((&**channel, &**slot), generation)?;
        }
        Ok(())
    }

    fn write_counts(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut tallies = transaction.open_table(TALLIES)?;
        for ((channel, kind, person, item), tally) in &self.tallies {
            let row = (tally.faves, tally.weight, tally.people);
            tallies.insert((&**channel, *kind, person.as_str(), item.as_str()), row)?;
        }
        let mut people = transaction.open_table(PEOPLE)?;
        for ((channel, id), (login, name)) in &self.people {
            people.insert((&**channel, id.as_str()), (login.as_str(), name.as_str()))?;
        }
        Ok(())
    }

    fn write_outgoing(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut outputs = transaction.open_table(OUTPUTS)?;
        for ((channel, name), (slot, text)) in &self.outputs {
            outputs.insert((&**channel, name.as_str()), (&**slot, text.as_deref()))?;
        }
        let mut outbox = transaction.open_table(OUTBOX)?;
        for (number, message) in &self.outbox {
            match message {
                Some(message) => drop(
                    outbox.insert(number, (message.topic.as_str(), message.payload.as_slice()))?,
                ),
                None => drop(outbox.remove(number)?),
            }
        }
        let mut clips = transaction.open_table(CLIPS)?;
        for (number, channel, clip) in &self.clips {
            clips.insert(number, (&**channel, clip.title.as_str(), clip.seconds))?;
        }
        transaction.open_table(META)?.insert("next-send", self.next_send)?;
        Ok(())
    }
}

/// A stored tally.
pub(crate) fn tally((faves, weight, people): (u64, i64, u32)) -> Tally {
    Tally { faves, weight, people }
}

impl Default for Tally {
    fn default() -> Self {
        tally((0, 0, 0))
    }
}
