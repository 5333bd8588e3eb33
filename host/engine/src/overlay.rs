//! What has been decided and not yet committed, over a snapshot of the store. Views read through it.

mod counts;
mod kept;
mod known;
mod scan;
mod state;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redb::ReadableTable;

use counts::Counts;
pub(crate) use kept::Kept;
use state::State;

use crate::contract::{ClipRequest, Entry, Message};
use crate::error::StoreError;
use crate::tables::{SlotKey, Snapshot, Stream};

type StateKey = (Arc<SlotKey>, String);

/// What a commit has written and its owner has to send.
pub(crate) struct Written {
    pub(crate) outputs: BTreeMap<(Arc<str>, String), ShownOutput>,
    pub(crate) outbox: BTreeMap<u64, Option<Message>>,
}

/// (slot that shows it, text); no text when the output was taken back.
pub(crate) type ShownOutput = (Arc<str>, Option<String>);

/// Changes over a snapshot. Everything in it is written by one commit.
pub(crate) struct Overlay {
    snapshot: Snapshot,
    state: BTreeMap<Arc<SlotKey>, State>,
    counts: BTreeMap<Arc<str>, Counts>,
    pub(crate) outputs: BTreeMap<(Arc<str>, String), ShownOutput>,
    timers: BTreeMap<StateKey, Option<u64>>,
    pub(crate) streams: BTreeMap<Arc<str>, Stream>,
    pub(crate) outbox: BTreeMap<u64, Option<Message>>,
    clips: Vec<(u64, Arc<str>, ClipRequest)>,
    next_send: u64,
    pub(crate) kept: Kept,
}

impl Overlay {
    pub(crate) fn new(snapshot: Snapshot) -> Result<Self, StoreError> {
        let next_send = snapshot.meta("next-send")?;
        Ok(Self {
            snapshot,
            state: BTreeMap::new(),
            counts: BTreeMap::new(),
            outputs: BTreeMap::new(),
            timers: BTreeMap::new(),
            streams: BTreeMap::new(),
            outbox: BTreeMap::new(),
            clips: Vec::new(),
            next_send,
            kept: Kept::default(),
        })
    }

    /// The changes are in the store, of which this is the new snapshot. What is known of it stays known.
    pub(crate) fn written(&mut self, snapshot: Snapshot) -> Result<Written, StoreError> {
        let mut fresh = Self::new(snapshot)?;
        std::mem::swap(&mut fresh.state, &mut self.state);
        std::mem::swap(&mut fresh.counts, &mut self.counts);
        fresh.state.values_mut().for_each(State::written);
        fresh.counts.values_mut().for_each(Counts::written);
        let before = std::mem::replace(self, fresh);
        Ok(Written { outputs: before.outputs, outbox: before.outbox })
    }

    /// The tables below the changes.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(crate) fn state(
        &mut self,
        slot: &Arc<SlotKey>,
        key: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(value) = self.state.get(slot).and_then(|state| state.get(key)) {
            return Ok(value.cloned());
        }
        let row = self.snapshot.state.get((&*slot.channel, &*slot.slot, slot.generation, key))?;
        let value = row.map(|row| row.value().to_vec());
        self.state_of(slot).remember(key, value.as_ref());
        Ok(value)
    }

    fn state_of(&mut self, slot: &Arc<SlotKey>) -> &mut State {
        if !self.state.contains_key(slot) {
            self.state.insert(Arc::clone(slot), State::default());
        }
        self.state.get_mut(slot).expect("it was made if it was not there")
    }

    /// Keeps the state of a rule that scans it in memory from now on, while it is small: it will ask again.
    pub(crate) fn keep_small(&mut self, slot: &Arc<SlotKey>) -> Result<(), StoreError> {
        if self.state_of(slot).wants_whole() {
            let stored = self.snapshot.rows_from(slot, "")?;
            self.state_of(slot).keep_whole(stored)?;
        }
        Ok(())
    }

    /// Entries in the order of their keys, all that are wanted.
    pub(crate) fn scan_state(
        &self,
        slot: &Arc<SlotKey>,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        Ok(self.scan(slot, prefix, after, limit, |_| true)?.unwrap_or_default())
    }

    pub(crate) fn put_state(&mut self, slot: &Arc<SlotKey>, key: String, value: Option<Vec<u8>>) {
        self.state_of(slot).set(key, value);
    }

    /// Nothing will ask for this generation again.
    pub(crate) fn forget(&mut self, slot: &Arc<SlotKey>) {
        self.state.remove(slot);
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

    /// How many outputs a slot has ever shown.
    pub(crate) fn outputs_of(&self, slot: &SlotKey) -> Result<usize, StoreError> {
        Ok(self.shown_by(&slot.channel, &slot.slot)?.len())
    }

    /// The outputs that a slot has ever shown, as they stand.
    pub(crate) fn shown_by(
        &self,
        channel: &str,
        slot: &str,
    ) -> Result<BTreeMap<String, Option<String>>, StoreError> {
        let mut shown = BTreeMap::new();
        let changed = self.outputs.iter().map(|(key, value)| (key.clone(), value.clone()));
        for ((of, name), (owner, text)) in self.stored_outputs()?.into_iter().chain(changed) {
            match *of == *channel && *owner == *slot {
                true => drop(shown.insert(name, text)),
                false if *of == *channel => drop(shown.remove(&name)),
                false => {}
            }
        }
        Ok(shown)
    }

    /// The keys of a slot that are changed and not committed.
    pub(crate) fn changed_keys(&self, slot: &Arc<SlotKey>) -> BTreeSet<String> {
        self.state.get(slot).map(|it| it.changes().keys().cloned().collect()).unwrap_or_default()
    }

    /// The stored timers of a slot.
    pub(crate) fn alarms(&self, slot: &SlotKey) -> Result<Vec<(String, u64)>, StoreError> {
        self.snapshot.alarms(slot)
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
}
