//! When chat was not heard: what the status tells of it, and the time between two runs. The log has each gap as a record.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heat_engine::{Chain, Membership, Record, Snapshot, StoreError};
use tracing::warn;

use crate::chat::Since;
use crate::clock;
use crate::view::roster::Roster;

/// How long a gap is told of.
const DAY_MS: u64 = 86_400_000;

/// A connection that comes and goes all day makes no more than this.
const MOST: usize = 10_000;

/// A time in which a channel was not heard, in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) channel: String,
    pub(crate) from: u64,
    pub(crate) until: u64,
}

impl Gap {
    pub(crate) fn long(&self) -> Duration {
        Duration::from_millis(self.until.saturating_sub(self.from))
    }
}

/// The gaps of the last day, of all channels.
#[derive(Default)]
pub(crate) struct Gaps(Mutex<VecDeque<Gap>>);

impl Gaps {
    pub(crate) fn add(&self, gap: Gap) {
        // Nothing in here panics, so a poisoned lock cannot be.
        let mut gaps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while gaps.len() >= MOST || gaps.front().is_some_and(|it| it.until + DAY_MS < gap.until) {
            gaps.pop_front();
        }
        gaps.push_back(gap);
    }

    /// How many a channel had within a day, and how long they were together.
    pub(crate) fn of(&self, channel: &str, now: u64) -> (usize, Duration) {
        let gaps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = gaps.iter().filter(|it| it.channel == channel && it.until + DAY_MS >= now);
        recent.fold((0, Duration::ZERO), |(count, long), gap| (count + 1, long + gap.long()))
    }

    /// Those of a channel that reach into this stretch, each with its start and its end.
    pub(crate) fn within(&self, channel: &str, from: u64, to: u64) -> Vec<(u64, u64)> {
        let gaps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mine =
            gaps.iter().filter(|it| it.channel == channel && it.from < to && it.until > from);
        mine.map(|it| (it.from, it.until)).collect()
    }

    /// Those that the log has from before this run.
    fn put_before(&self, records: Vec<Record>) {
        let mut gaps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records.into_iter().rev().take(MOST) {
            if let Record::Gap { now: until, channel, from, .. } = record {
                gaps.push_front(Gap { channel, from, until });
            }
        }
    }
}

/// Until when the channels were heard in an earlier run, at least; nothing of a channel that is new.
pub(crate) fn last_run(
    snapshot: &Snapshot,
    chains: &[Chain],
    changed: &BTreeMap<String, Membership>,
) -> Result<BTreeMap<String, Since>, StoreError> {
    let until = snapshot.heard_until()?;
    let mut known = BTreeMap::new();
    for chain in chains {
        let channel = chain.channel.to_lowercase();
        let removed = changed.get(&channel).filter(|change| !change.added);
        if let Some(change) = removed {
            known.insert(channel, since_removal(change.at));
        } else if snapshot.first_checkpoint(&channel)?.is_some() {
            known.insert(channel, (until, "heatd was not running".to_owned()));
        }
    }
    Ok(known)
}

/// Since when a channel is not heard that was removed at this time.
pub(crate) fn since_removal(at: u64) -> Since {
    (at, "the channel was removed from heatd".to_owned())
}

/// Reads the gaps of the last day from the log, on a thread of its own: nobody waits for them.
pub(crate) fn look_back(roster: &Arc<Roster>, snapshot: Snapshot) {
    let (roster, day_ago) = (Arc::clone(roster), clock::now().saturating_sub(DAY_MS));
    tokio::task::spawn_blocking(move || match snapshot.gaps_since(day_ago) {
        Ok(records) => roster.gaps.put_before(records),
        Err(error) => warn!(%error, "the log cannot tell when chat was away"),
    });
}

/// A length of time for people.
pub(crate) fn words(long: Duration) -> String {
    match long.as_secs() {
        0 => format!("{} ms", long.as_millis()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(channel: &str, from: u64, until: u64) -> Gap {
        Gap { channel: channel.to_owned(), from, until }
    }

    #[test]
    fn gaps_are_told_of_for_a_day_by_channel() {
        let gaps = Gaps::default();
        gaps.add(gap("seaside", 0, 5_000));
        gaps.add(gap("harbour", 0, 7_000));
        gaps.add(gap("seaside", 10_000, 11_500));
        gaps.put_before(vec![Record::Gap {
            now: 1_000,
            channel: "seaside".to_owned(),
            from: 0,
            why: String::new(),
        }]);
        assert_eq!(gaps.of("seaside", 12_000), (3, Duration::from_millis(7_500)));
        assert_eq!(gaps.of("seaside", DAY_MS + 5_001), (1, Duration::from_millis(1_500)));
        assert_eq!(gaps.of("nowhere", 0), (0, Duration::ZERO));
        assert_eq!(gaps.within("seaside", 4_000, 10_001), [(0, 5_000), (10_000, 11_500)]);
        assert_eq!(gaps.within("seaside", 5_000, 10_000), []);
        // Old ones go when new ones come.
        gaps.add(gap("seaside", 0, DAY_MS + 11_501));
        assert_eq!(gaps.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn lengths_are_short_words() {
        let told = [(400, "400 ms"), (12_000, "12 s"), (600_000, "10 min"), (9_000_000, "2 h")];
        for (long, expected) in told {
            assert_eq!(words(Duration::from_millis(long)), expected);
        }
    }
}
