//! The last lines of each channel, from the log: what somebody who comes late has missed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use heat_engine::wit::{Event, Happening};
use heat_engine::{FoundKind, HistoryQuery, Snapshot, StoreError};

use crate::view::colours::Colours;
use crate::view::feed::{Entry, EntryKind, Summary};
use crate::view::removals::Removals;

/// How far the log is read back, in milliseconds: what was said on another day has not just been missed.
const OLDEST: u64 = 24 * 3_600_000;

/// How long the log is read.
const LONGEST: Duration = Duration::from_millis(300);

/// How many records are taken at one time.
const PAGE: usize = 512;

/// What is told of the past: what people did, and not messages of programs.
const KINDS: [&str; 10] = [
    "chat",
    "subscription",
    "gift",
    "cheer",
    "raid",
    "follow",
    "redemption",
    "hype-train",
    "stream-start",
    "stream-end",
];

/// What entries of the past are made of.
pub(crate) struct Past<'a> {
    pub(crate) colours: &'a Colours,
    pub(crate) removals: &'a Removals,
}

impl Past<'_> {
    /// The last entries of each of these channels, as many as that, the oldest first.
    pub(crate) fn entries(
        &self,
        snapshot: &Snapshot,
        channels: &[Arc<str>],
        most: usize,
    ) -> Result<Vec<Arc<Entry>>, StoreError> {
        let started = Instant::now();
        let mut left: BTreeMap<&str, usize> = channels.iter().map(|it| (&**it, most)).collect();
        let mut query = HistoryQuery {
            channels: left.keys().map(|&it| it.to_owned()).collect(),
            kinds: KINDS.map(str::to_owned).into(),
            from: snapshot.newest()?.saturating_sub(OLDEST),
            ..HistoryQuery::default()
        };
        let mut entries = Vec::new();
        while left.values().any(|left| *left > 0) && started.elapsed() < LONGEST {
            let page = snapshot.history(&query, PAGE, || started.elapsed() < LONGEST)?;
            for found in page.found {
                let FoundKind::Event(event) = found.what else { continue };
                let Some(left) = left.get_mut(event.channel.as_str()).filter(|left| **left > 0)
                else {
                    continue;
                };
                *left -= 1;
                entries.extend(self.entry(&event).map(Arc::new));
            }
            query.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
        entries.reverse();
        Ok(entries)
    }

    fn entry(&self, event: &Event) -> Option<Entry> {
        let mut summary = Summary::of(&event.what, event.at, self.colours)?;
        if let (Summary::Chat(said), Happening::Chat(line)) = (&mut summary, &event.what) {
            let login = &line.person.login;
            said.removed = self.removals.has(&event.channel, &line.message, login, event.at);
        }
        Some(Entry { channel: event.channel.as_str().into(), what: EntryKind::Summary(summary) })
    }
}

/// What entries were told already, so that what comes while the past is looked up is not told twice.
pub(crate) struct ToldEntries(BTreeSet<String>);

impl ToldEntries {
    pub(crate) fn of(entries: &[Arc<Entry>]) -> Self {
        Self(entries.iter().filter_map(|entry| key(entry)).collect())
    }

    pub(crate) fn has(&self, entry: &Entry) -> bool {
        !self.0.is_empty() && key(entry).is_some_and(|key| self.0.contains(&key))
    }
}

fn key(entry: &Entry) -> Option<String> {
    let channel = &entry.channel;
    match &entry.what {
        EntryKind::Summary(Summary::Chat(line)) if !line.id.is_empty() => {
            Some(format!("{channel} {}", line.id))
        }
        EntryKind::Summary(Summary::Chat(line)) => {
            Some(format!("{channel} {} {} {}", line.at, line.login, line.text))
        }
        EntryKind::Summary(Summary::Event { event, at, text }) => {
            Some(format!("{channel} {event} {at} {text}"))
        }
        _ => None,
    }
}
