//! What has been decided and not yet committed, over a snapshot of the store. Views read through it.

mod cache;
mod counts;
pub(crate) mod outputs;
mod people;
mod rare;
mod scan;
mod state;
mod tally;
pub(crate) mod waiting;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::contract::{ClipRequest, Entry, Message};
use crate::error::StoreError;
use crate::overlay::rare::AdminRows;
use crate::overlay::state::State;
use crate::overlay::tally::Counts;
use crate::overlay::waiting::message_bytes;
use crate::store::snapshot::Snapshot;
use crate::store::tables::{SlotKey, Stream};

/// (slot that shows it, text); no text when the output was taken back.
pub(crate) type ShownOutput = (Arc<str>, Option<String>);

type StateKey = (Arc<SlotKey>, String);

/// What a commit has written and its owner has to send.
pub(crate) struct Written {
    pub(crate) outputs: BTreeMap<(Arc<str>, String), ShownOutput>,
    pub(crate) outbox: BTreeMap<u64, Option<Message>>,
}

/// Changes over a snapshot. Everything in it is written by one commit.
pub(crate) struct Overlay {
    snapshot: Snapshot,
    state: BTreeMap<Arc<SlotKey>, State>,
    counts: BTreeMap<Arc<str>, Counts>,
    /// What imports have brought: channel, source, person's id and item, as their files had it.
    imported: BTreeMap<(Arc<str>, String, String, String), (u64, i64)>,
    outputs: BTreeMap<(Arc<str>, String), ShownOutput>,
    timers: BTreeMap<StateKey, Option<u64>>,
    streams: BTreeMap<Arc<str>, Stream>,
    outbox: BTreeMap<u64, Option<Message>>,
    clips: Vec<(u64, Arc<str>, ClipRequest)>,
    next_send: u64,
    admin_rows: AdminRows,
    /// Something has to be written.
    dirty: bool,
    /// Something that somebody outside waits for has to be written.
    urgent: bool,
}

impl Overlay {
    pub(crate) fn new(snapshot: Snapshot) -> Result<Self, StoreError> {
        let next_send = snapshot.meta("next-send")?;
        Ok(Self::over(snapshot, next_send))
    }

    fn over(snapshot: Snapshot, next_send: u64) -> Self {
        Self {
            snapshot,
            state: BTreeMap::new(),
            counts: BTreeMap::new(),
            imported: BTreeMap::new(),
            outputs: BTreeMap::new(),
            timers: BTreeMap::new(),
            streams: BTreeMap::new(),
            outbox: BTreeMap::new(),
            clips: Vec::new(),
            next_send,
            admin_rows: AdminRows::default(),
            dirty: false,
            urgent: false,
        }
    }

    /// Call after a commit, with the new snapshot. Pending changes are cleared; the read cache is kept.
    pub(crate) fn written(&mut self, snapshot: Snapshot) -> Written {
        let mut fresh = Self::over(snapshot, self.next_send);
        std::mem::swap(&mut fresh.state, &mut self.state);
        std::mem::swap(&mut fresh.counts, &mut self.counts);
        fresh.state.values_mut().for_each(State::written);
        fresh.counts.values_mut().for_each(Counts::written);
        let before = std::mem::replace(self, fresh);
        Written { outputs: before.outputs, outbox: before.outbox }
    }

    /// Drops the read cache of a channel. Changes that are not committed yet stay.
    pub(crate) fn release(&mut self, channel: &str) {
        self.state.retain(|slot, known| *slot.channel != *channel || !known.changes().is_empty());
        self.counts.retain(|of, known| **of != *channel || known.is_changed());
    }

    /// Whether something has to be written.
    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Whether somebody outside waits for what has to be written.
    pub(crate) fn is_urgent(&self) -> bool {
        self.urgent
    }

    fn mark_urgent(&mut self) {
        (self.dirty, self.urgent) = (true, true);
    }

    /// Rows that are seldom written, to be changed.
    pub(crate) fn admin_rows(&mut self) -> &mut AdminRows {
        self.dirty = true;
        &mut self.admin_rows
    }

    /// By what exports name the store, if it has a name.
    pub(crate) fn identity(&self) -> Result<Option<u64>, StoreError> {
        Ok(self.admin_rows.identity.or(self.snapshot.identity()?))
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
        let row = self.snapshot.tables.state()?.get((
            &*slot.channel,
            &*slot.slot,
            slot.generation,
            key,
        ))?;
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

    /// Marks a generation as new: nothing of it is stored, so a scan need not read the store.
    pub(crate) fn begin_whole(&mut self, slot: &Arc<SlotKey>) {
        if !self.state.contains_key(slot) {
            self.state_of(slot).begin_whole();
        }
    }

    /// From now on keeps in memory the state of a rule that scans it, while it is small: the rule will scan it again.
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
        self.dirty = true;
    }

    /// Drops what is known of a generation that nothing uses any more.
    pub(crate) fn forget(&mut self, slot: &Arc<SlotKey>) {
        self.state.remove(slot);
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
        self.dirty = true;
    }

    /// Puts a message into the outbox, from where it goes when a broker has acknowledged it.
    pub(crate) fn publish(&mut self, message: Message) {
        self.outbox.insert(self.next_send, Some(message));
        self.next_send += 1;
        self.mark_urgent();
    }

    /// Takes a message out of the outbox, and says how many bytes it had. None: it was not there.
    pub(crate) fn sent(&mut self, number: u64) -> Result<Option<u64>, StoreError> {
        let bytes = match self.outbox.get(&number) {
            Some(waiting) => waiting.as_ref().map(message_bytes),
            None => self.snapshot.outbox_bytes(number)?,
        };
        if bytes.is_some() {
            self.dirty = true;
            self.outbox.insert(number, None);
        }
        Ok(bytes)
    }

    /// Whether a stream is live, as somebody says.
    pub(crate) fn set_stream(&mut self, channel: &Arc<str>, stream: Stream) {
        self.streams.insert(Arc::clone(channel), stream);
        self.mark_urgent();
    }

    pub(crate) fn clip(&mut self, channel: &Arc<str>, clip: ClipRequest) {
        self.clips.push((self.next_send, Arc::clone(channel), clip));
        self.next_send += 1;
        self.mark_urgent();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    /// Numbers that are the same in every run.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, most: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) % most
        }
    }

    #[test]
    fn a_scan_finds_the_same_in_memory_in_the_store_and_in_both() -> Result<(), StoreError> {
        let store = Store::in_memory()?;
        let slot = |name: &str| {
            Arc::new(SlotKey { channel: "c".into(), slot: name.into(), generation: 0 })
        };
        // The neighbours have keys too.
        let (mine, neighbours) = (slot("b"), [slot("a"), slot("c")]);
        let mut dice = Dice(1);
        let mut overlay = Overlay::new(store.snapshot()?)?;
        let mut model: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for round in 0..2_000 {
            let key = format!("{}/{}", ["x", "y", "z"][dice.below(3) as usize], dice.below(40));
            let value = (dice.below(3) > 0).then(|| vec![round as u8]);
            for slot in &neighbours {
                overlay.put_state(slot, key.clone(), Some(vec![0]));
            }
            overlay.put_state(&mine, key.clone(), value.clone());
            match value {
                Some(value) => drop(model.insert(key, value)),
                None => drop(model.remove(&key)),
            }
            if round % 50 == 49 {
                store.write(|transaction| overlay.write(transaction, 0))?;
                overlay.written(store.snapshot()?);
            }
            let prefix = ["", "y", "y/1", "z/"][dice.below(4) as usize];
            let after = [None, Some("x/9"), Some("y/15"), Some("z/3")][dice.below(4) as usize];
            let limit = dice.below(12) as usize;
            let due: Vec<(String, Vec<u8>)> = model
                .iter()
                .filter(|(key, _)| {
                    key.starts_with(prefix) && after.is_none_or(|it| key.as_str() > it)
                })
                .take(limit)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            // The first half reads the store, the second what is in memory.
            if round >= 1_000 {
                overlay.keep_small(&mine)?;
            }
            let found = overlay.scan_state(&mine, prefix, after, limit)?;
            let found: Vec<_> = found.into_iter().map(|it| (it.key, it.value)).collect();
            assert_eq!(found, due, "round {round}: {prefix:?} after {after:?}, {limit}");
        }
        Ok(())
    }
}
