//! Gaps: times in which chat was not heard. The status shows those of the last day; the log has each of them as a record.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use heat_engine::{Record, Snapshot};
use parking_lot::Mutex;
use tracing::warn;

use crate::clock;

/// How long a gap is shown.
const DAY_MS: u64 = 86_400_000;

/// The bound on gaps in memory, for a connection that comes and goes all day.
const MOST: usize = 10_000;

/// Since when a channel is not heard, in milliseconds since 1970, and why.
pub(crate) type Since = (u64, String);

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
        let mut gaps = self.0.lock();
        while gaps.len() >= MOST || gaps.front().is_some_and(|it| it.until + DAY_MS < gap.until) {
            gaps.pop_front();
        }
        gaps.push_back(gap);
    }

    /// How many gaps a channel had within the last day, and their length together.
    pub(crate) fn of(&self, channel: &str, now: u64) -> (usize, Duration) {
        let gaps = self.0.lock();
        let recent = gaps.iter().filter(|it| it.channel == channel && it.until + DAY_MS >= now);
        recent.fold((0, Duration::ZERO), |(count, long), gap| (count + 1, long + gap.long()))
    }

    /// The start and end of each gap of a channel that overlaps this time.
    pub(crate) fn within(&self, channel: &str, from: u64, to: u64) -> Vec<(u64, u64)> {
        let gaps = self.0.lock();
        let mine =
            gaps.iter().filter(|it| it.channel == channel && it.from < to && it.until > from);
        mine.map(|it| (it.from, it.until)).collect()
    }

    /// Adds gaps from the log, from before this run.
    fn put_before(&self, records: Vec<Record>) {
        let mut gaps = self.0.lock();
        for record in records.into_iter().rev().take(MOST) {
            if let Record::Gap { now: until, channel, from, .. } = record {
                gaps.push_front(Gap { channel, from, until });
            }
        }
    }
}

/// Reads the gaps of the last day from the log, on a thread of its own: nobody waits for them.
pub(crate) fn look_back(gaps: &Arc<Gaps>, snapshot: Snapshot) {
    let (gaps, day_ago) = (Arc::clone(gaps), clock::now().saturating_sub(DAY_MS));
    tokio::task::spawn_blocking(move || match snapshot.gaps_since(day_ago) {
        Ok(records) => gaps.put_before(records),
        Err(error) => warn!(%error, "the log cannot tell when chat was away"),
    });
}

/// A length of time as people write it.
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
        assert_eq!(gaps.0.lock().len(), 1);
    }

    #[test]
    fn lengths_are_short_words() {
        let told = [(400, "400 ms"), (12_000, "12 s"), (600_000, "10 min"), (9_000_000, "2 h")];
        for (long, expected) in told {
            assert_eq!(words(Duration::from_millis(long)), expected);
        }
    }
}
