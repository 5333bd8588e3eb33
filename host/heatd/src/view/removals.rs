//! Lines of chat that moderators have removed, in the last minutes: they are struck where they are shown, and nothing is said in answer to them.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::view::feed::{ChatEntry, Entry, EntryKind, Feed, Summary};

/// For how long a removal is remembered, in milliseconds.
const KEPT: u64 = 600_000;

/// More than this are not remembered.
const MOST: usize = 1_000;

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Removal {
    /// One line, by its id.
    Line(String),
    /// All lines of a person, by login.
    Person(String),
    /// All lines.
    All,
}

/// The removals of all channels.
pub(crate) struct Removals {
    /// When, where, and what.
    known: Mutex<VecDeque<(u64, String, Removal)>>,
    feed: Feed,
}

impl Removals {
    pub(crate) fn new(feed: Feed) -> Self {
        Self { known: Mutex::default(), feed }
    }

    /// Something was removed in a channel. Several may tell it.
    pub(crate) fn note(&self, now: u64, channel: &str, removal: Removal) {
        let mut known = self.known.lock();
        while known.len() >= MOST || known.front().is_some_and(|(at, ..)| at + KEPT < now) {
            known.pop_front();
        }
        let is_known = |(at, of, it): &(u64, String, Removal)| {
            *it == removal && of == channel && at + 5_000 > now
        };
        if known.iter().any(is_known) {
            return;
        }
        let (id, login) = match removal.clone() {
            Removal::Line(id) => (Some(id), None),
            Removal::Person(login) => (None, Some(login)),
            Removal::All => (None, None),
        };
        self.feed.removed(channel, id, login);
        known.push_back((now, channel.to_owned(), removal));
    }

    /// Whether a line that came at `at` is removed.
    pub(crate) fn has(&self, channel: &str, message: &str, login: &str, at: u64) -> bool {
        self.known.lock().iter().any(|(when, of, removal)| {
            let is_it = match removal {
                Removal::Line(id) => id == message,
                Removal::Person(person) => person == login && *when >= at,
                Removal::All => *when >= at,
            };
            of == channel && is_it
        })
    }

    /// The entry, where it is a line that was removed before its rules had decided: a removal waits for nobody.
    pub(crate) fn marked(&self, entry: Arc<Entry>) -> Arc<Entry> {
        let EntryKind::Summary(Summary::Chat(line)) = &entry.what else { return entry };
        if !self.has(&entry.channel, &line.id, &line.login, line.at) {
            return entry;
        }
        let line = ChatEntry { removed: true, ..(**line).clone() };
        let what = EntryKind::Summary(Summary::Chat(Box::new(line)));
        Arc::new(Entry { channel: Arc::clone(&entry.channel), what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_removed_by_its_id_by_its_person_or_with_all() {
        let removals = Removals::new(Feed::default());
        removals.note(10, "seaside", Removal::Line("m1".to_owned()));
        assert!(removals.has("seaside", "m1", "ann", 5) && !removals.has("harbor", "m1", "ann", 5));
        assert!(!removals.has("seaside", "m2", "ann", 5));
        removals.note(20, "seaside", Removal::Person("ann".to_owned()));
        // What the person says later stays.
        assert!(
            removals.has("seaside", "m2", "ann", 15) && !removals.has("seaside", "m3", "ann", 21)
        );
        removals.note(30, "seaside", Removal::All);
        assert!(removals.has("seaside", "m4", "bob", 30));
    }

    #[test]
    fn a_line_that_is_told_after_its_removal_is_marked() {
        let removals = Removals::new(Feed::default());
        removals.note(10, "seaside", Removal::Line("m1".to_owned()));
        let is_removed = |id: &str| {
            let line = ChatEntry { id: id.to_owned(), at: 5, ..ChatEntry::default() };
            let what = EntryKind::Summary(Summary::Chat(Box::new(line)));
            let entry = removals.marked(Arc::new(Entry { channel: "seaside".into(), what }));
            let EntryKind::Summary(Summary::Chat(line)) = &entry.what else { return false };
            line.removed
        };
        assert!(is_removed("m1") && !is_removed("m2"));
    }

    #[test]
    fn what_two_tell_is_told_once_to_those_who_watch() {
        let feed = Feed::default();
        let (removals, mut watcher) = (Removals::new(feed.clone()), feed.subscribe());
        for now in [10, 900] {
            removals.note(now, "seaside", Removal::Line("m1".to_owned()));
        }
        assert!(watcher.try_recv().is_ok() && watcher.try_recv().is_err());
    }
}
