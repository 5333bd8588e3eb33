//! Rows of one kind: those that are changed and not yet committed, and some that are known from the store.
//!
//! The engine is the only writer, so what a commit has written, and what was read once, need not be read again.

use std::borrow::Borrow;
use std::collections::BTreeMap;

/// How many rows of the store one map remembers.
const MOST: usize = 2048;

pub(crate) struct ReadCache<K, V> {
    changed: BTreeMap<K, V>,
    /// As the store has them.
    stored: BTreeMap<K, V>,
}

impl<K, V> Default for ReadCache<K, V> {
    fn default() -> Self {
        Self { changed: BTreeMap::new(), stored: BTreeMap::new() }
    }
}

impl<K: Ord, V> ReadCache<K, V> {
    /// The row as it stands, if that is known without the store.
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.changed.get(key).or_else(|| self.stored.get(key))
    }

    /// Remembers a row that was read from the store.
    pub(crate) fn remember(&mut self, key: K, value: V) {
        if self.stored.len() >= MOST {
            self.stored.clear();
        }
        self.stored.insert(key, value);
    }

    pub(crate) fn set(&mut self, key: K, value: V) {
        self.changed.insert(key, value);
    }

    /// What has to be written.
    pub(crate) fn changes(&self) -> &BTreeMap<K, V> {
        &self.changed
    }

    /// The changes are in the store now.
    pub(crate) fn written(&mut self, is_worth_it: impl Fn(&V) -> bool) {
        for (key, value) in std::mem::take(&mut self.changed) {
            if is_worth_it(&value) {
                self.remember(key, value);
            } else {
                self.stored.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_known_and_what_is_too_large_is_forgotten() {
        let mut known: ReadCache<String, u32> = ReadCache::default();
        known.remember("a".to_owned(), 1);
        known.set("a".to_owned(), 2);
        known.set("b".to_owned(), 100);
        assert_eq!((known.get("a"), known.changes().len()), (Some(&2), 2));
        known.written(|value| *value < 50);
        assert_eq!((known.get("a"), known.get("b"), known.changes().len()), (Some(&2), None, 0));
        // A row that has grown too large is not remembered as it was before.
        known.set("a".to_owned(), 100);
        known.written(|value| *value < 50);
        assert_eq!(known.get("a"), None);
    }
}
