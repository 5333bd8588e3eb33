//! Reads a rule's state in the order of its keys, from the changes and the store below them at once.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;

use super::Overlay;
use super::state::State;
use crate::contract::Entry;
use crate::error::StoreError;
use crate::store::tables::{SlotKey, StateRows};

impl Overlay {
    /// Entries whose keys start with `prefix` and come after `after`, in order. `pay` is told the bytes of each row that is looked at,
    /// also of those that a change hides; when it refuses, the scan is given up and there is none.
    pub(crate) fn scan(
        &self,
        slot: &Arc<SlotKey>,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        mut pay: impl FnMut(usize) -> bool,
    ) -> Result<Option<Vec<Entry>>, StoreError> {
        let from = match after.filter(|after| *after >= prefix) {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(prefix),
        };
        let nothing = BTreeMap::new();
        let state = self.state.get(slot);
        if let Some(rows) = state.and_then(|state| state.from(from)) {
            return Ok(whole(rows.take_while(|(key, _)| key.starts_with(prefix)), limit, pay));
        }
        let changes = state.map_or(&nothing, State::changes);
        let changed = changes.range::<str, _>((from, Bound::Unbounded));
        let mut changed = changed.take_while(|(key, _)| key.starts_with(prefix)).peekable();
        let start = from.map(|key| (&*slot.channel, &*slot.slot, slot.generation, key));
        let rows = self.snapshot.tables.state()?.range((start, Bound::Unbounded))?;
        let mut stored = Stored { rows, slot, prefix, next: None };
        stored.step()?;
        let mut entries = Vec::new();
        while entries.len() < limit {
            let Some(next) = first(stored.next.as_ref(), &mut changed) else { break };
            let mut entry = None;
            if next.stored {
                entry = stored.next.take();
                stored.step()?;
            }
            if next.changed {
                let change = changed.next();
                entry = change.and_then(|(key, value)| Some((key.clone(), value.clone()?)));
            }
            // A row that is gone costs as much as one without a value.
            if !pay(entry.as_ref().map_or(0, |(key, value)| key.len() + value.len())) {
                return Ok(None);
            }
            entries.extend(entry.map(|(key, value)| Entry { key, value }));
        }
        Ok(Some(entries))
    }
}

/// The same over a state that is in memory.
fn whole<'a>(
    rows: impl Iterator<Item = (&'a String, &'a Vec<u8>)>,
    limit: usize,
    mut pay: impl FnMut(usize) -> bool,
) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    for (key, value) in rows.take(limit) {
        if !pay(key.len() + value.len()) {
            return None;
        }
        entries.push(Entry { key: key.clone(), value: value.clone() });
    }
    Some(entries)
}

/// Where the next key stands.
struct NextPlace {
    stored: bool,
    changed: bool,
}

fn first<'a>(
    stored: Option<&(String, Vec<u8>)>,
    changed: &mut Peekable<impl Iterator<Item = (&'a String, &'a Option<Vec<u8>>)>>,
) -> Option<NextPlace> {
    match (stored, changed.peek()) {
        (None, None) => None,
        (Some(_), None) => Some(NextPlace { stored: true, changed: false }),
        (None, Some(_)) => Some(NextPlace { stored: false, changed: true }),
        (Some((key, _)), Some((change, _))) => {
            Some(NextPlace { stored: key <= *change, changed: *change <= key })
        }
    }
}

/// The rows of one slot in the store.
struct Stored<'a> {
    rows: StateRows<'a>,
    slot: &'a SlotKey,
    prefix: &'a str,
    next: Option<(String, Vec<u8>)>,
}

impl Stored<'_> {
    fn step(&mut self) -> Result<(), StoreError> {
        let Some(row) = self.rows.next() else { return Ok(()) };
        let (key, value) = row?;
        let (channel, name, generation, key) = key.value();
        let here = channel == &*self.slot.channel
            && name == &*self.slot.slot
            && generation == self.slot.generation;
        if here && key.starts_with(self.prefix) {
            self.next = Some((key.to_owned(), value.value().to_vec()));
        }
        Ok(())
    }
}
