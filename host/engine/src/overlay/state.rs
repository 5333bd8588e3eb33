//! The state of one slot over the store: what is changed, what is known, and all of it where the rule scans it and it is small.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::cache::ReadCache;
use crate::contract::Entry;
use crate::error::StoreError;

/// Larger values of a rule's state are read again by each group, in bytes.
const LARGEST_REMEMBERED: usize = 256;

/// A state that is scanned is kept in memory as a whole up to so many bytes: a scan of the store would have to step over all
/// that was deleted since the last commit.
const LARGEST_WHOLE: usize = 2 << 20;

/// What an entry takes in memory besides its key and value, roughly, in bytes.
const ENTRY: usize = 64;

#[derive(Default)]
pub(super) struct State {
    /// No value: there is none.
    rows: ReadCache<String, Option<Vec<u8>>>,
    whole: Option<Whole>,
    /// It does not fit into memory, as far as anybody has tried.
    large: bool,
}

/// Every entry as it stands, changes included.
#[derive(Default)]
struct Whole {
    rows: BTreeMap<String, Vec<u8>>,
    bytes: usize,
}

impl Whole {
    fn set(&mut self, key: &str, value: Option<&[u8]>) {
        let size = |value: &[u8]| ENTRY + key.len() + value.len();
        let before = match value {
            Some(value) => {
                self.bytes += size(value);
                match self.rows.get_mut(key) {
                    Some(old) => Some(std::mem::replace(old, value.to_vec())),
                    None => self.rows.insert(key.to_owned(), value.to_vec()),
                }
            }
            None => self.rows.remove(key),
        };
        self.bytes -= before.map_or(0, |before| size(&before));
    }
}

impl State {
    /// The value of a key, if that is known without the store.
    pub(super) fn get(&self, key: &str) -> Option<Option<&Vec<u8>>> {
        match &self.whole {
            Some(whole) => Some(whole.rows.get(key)),
            None => self.rows.get(key).map(Option::as_ref),
        }
    }

    /// Remembers what the store has.
    pub(super) fn remember(&mut self, key: &str, value: Option<&Vec<u8>>) {
        if is_small(value) {
            self.rows.remember(key.to_owned(), value.cloned());
        }
    }

    pub(super) fn set(&mut self, key: String, value: Option<Vec<u8>>) {
        if let Some(whole) = &mut self.whole {
            whole.set(&key, value.as_deref());
            if whole.bytes > LARGEST_WHOLE {
                (self.whole, self.large) = (None, true);
            }
        }
        self.rows.set(key, value);
    }

    /// What has to be written.
    pub(super) fn changes(&self) -> &BTreeMap<String, Option<Vec<u8>>> {
        self.rows.changes()
    }

    /// The changes are in the store now.
    pub(super) fn written(&mut self) {
        let is_whole = self.whole.is_some();
        self.rows.written(|value| !is_whole && is_small(value.as_ref()));
    }

    /// Whether it could be kept as a whole, and is not.
    pub(super) fn wants_whole(&self) -> bool {
        self.whole.is_none() && !self.large
    }

    /// Keeps all of it in memory, where there is nothing yet.
    pub(super) fn begin_whole(&mut self) {
        self.whole = Some(Whole::default());
    }

    /// Keeps all of it in memory: what the store has, and the changes.
    pub(super) fn keep_whole(
        &mut self,
        stored: impl Iterator<Item = Result<Entry, StoreError>>,
    ) -> Result<(), StoreError> {
        let mut whole = Whole::default();
        for entry in stored {
            let entry = entry?;
            whole.set(&entry.key, Some(&entry.value));
            if whole.bytes > LARGEST_WHOLE {
                self.large = true;
                return Ok(());
            }
        }
        for (key, value) in self.rows.changes() {
            whole.set(key, value.as_deref());
        }
        self.whole = Some(whole);
        Ok(())
    }

    /// The entries of a whole state from this key on, in order. None: it is not kept as a whole.
    pub(super) fn from(
        &self,
        lowest: Bound<&str>,
    ) -> Option<impl Iterator<Item = (&String, &Vec<u8>)>> {
        self.whole.as_ref().map(|whole| whole.rows.range::<str, _>((lowest, Bound::Unbounded)))
    }
}

fn is_small(value: Option<&Vec<u8>>) -> bool {
    value.is_none_or(|value| value.len() <= LARGEST_REMEMBERED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, value: &[u8]) -> Entry {
        Entry { key: key.to_owned(), value: value.to_vec() }
    }

    #[test]
    fn a_whole_state_has_what_the_store_had_and_every_change() {
        let mut state = State::default();
        state.set("b".to_owned(), None);
        state.set("c".to_owned(), Some(vec![3]));
        state.keep_whole([entry("a", &[1]), entry("b", &[2])].into_iter().map(Ok)).unwrap();
        state.set("d".to_owned(), Some(vec![4]));
        state.set("a".to_owned(), None);
        state.written();
        let keys = |state: &State| -> Vec<String> {
            state.from(Bound::Unbounded).unwrap().map(|(key, _)| key.clone()).collect()
        };
        assert_eq!(keys(&state), ["c", "d"]);
        assert_eq!((state.get("a"), state.get("d")), (Some(None), Some(Some(&vec![4]))));
        assert!(!state.wants_whole());
    }

    #[test]
    fn a_state_that_grows_too_large_is_not_kept_as_a_whole_any_more() {
        let mut state = State::default();
        state.keep_whole([entry("a", &[1])].into_iter().map(Ok)).unwrap();
        state.set("b".to_owned(), Some(vec![0; LARGEST_WHOLE]));
        assert!(state.from(Bound::Unbounded).is_none() && !state.wants_whole());
        assert_eq!(state.get("a"), None, "the store has it");
        state.written();
        assert_eq!(state.get("b"), None, "it is too large to be remembered");
    }
}
