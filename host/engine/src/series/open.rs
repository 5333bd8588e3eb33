//! The blocks that still grow. Only in memory: what is in them is in the log as well.

use std::collections::{BTreeMap, HashMap, HashSet, btree_map};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::block::{Bin, Bins};
use super::names::Names;
use super::resolution::{Resolution, SLACK};

/// A block of a channel: its resolution, and when it starts.
pub(super) type Place = (Arc<str>, Resolution, u64);

/// Everything that is counted and not stored yet.
#[derive(Default)]
pub(crate) struct Open {
    pub(super) names: Names,
    channels: HashMap<Arc<str>, BTreeMap<(Resolution, u64), OpenBlock>>,
    /// The last values of outputs, by channel and number.
    levels: HashMap<(Arc<str>, u32), i64>,
    /// Blocks that had ended by this time are closed.
    pub(super) closed: u64,
    /// The first record of the log that came after that.
    pub(super) counted: u64,
    /// Closed blocks that the next commit writes.
    pub(super) closing: BTreeMap<Place, Bins>,
    /// What came for blocks that are in the store.
    pub(super) late: BTreeMap<Place, Bins>,
    /// Counts only what is in no stored block: the log is read again.
    pub(super) recovers: bool,
    /// Whether the commit that is under way writes what has closed.
    pub(super) writes: bool,
}

/// A block that grows.
#[derive(Default)]
struct OpenBlock {
    bins: Bins,
    /// For the bins that still accept people: who was counted in which series.
    people: BTreeMap<u32, People>,
}

/// Hashes of (series, person) pairs, to count distinct people per bin. One number each: there are many, and they are kept for an hour.
type People = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// A hash of a person in a series. With 64 bits, two of them are practically never the same.
fn mixed(series: u32, person: u64) -> u64 {
    (person ^ u64::from(series).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_mul(0xff51_afd7_ed55_8ccd)
        .rotate_left(32)
}

/// For numbers that are hashes already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = (self.0 << 8) | u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What happened in one moment: a line enters the bins together with all its emotes.
struct Addition<'a> {
    at: u64,
    now: u64,
    person: Option<u64>,
    /// Series ids whose count goes up by one.
    series: &'a [u32],
    /// The value of the one series, which replaces what the bin had.
    level: Option<i64>,
}

impl Open {
    pub(super) fn new(names: Names, closed: u64, counted: u64) -> Self {
        Self { names, closed, counted, ..Self::default() }
    }

    /// Counts each of these once at every resolution: what a person did then.
    pub(super) fn add(
        &mut self,
        channel: &str,
        series: &[u32],
        at: u64,
        now: u64,
        person: Option<u64>,
    ) {
        self.enter(channel, &Addition { at, now, person, series, level: None });
    }

    /// Notes what an output shows now. A text that is not a number changes nothing: the last number stays.
    pub(super) fn level(&mut self, channel: &str, output: &str, text: Option<&str>, now: u64) {
        let Some(count) = text.and_then(thousandths) else { return };
        let series = self.names.output(output);
        let channel = self.channel(channel);
        if self.levels.insert((Arc::clone(&channel), series), count) == Some(count) {
            return;
        }
        self.set(&channel, series, now, count);
    }

    /// What a bin had of this series is replaced.
    pub(super) fn set(&mut self, channel: &str, series: u32, at: u64, count: i64) {
        let (now, person, level) = (at, None, Some(count));
        self.enter(channel, &Addition { at, now, person, series: &[series], level });
    }

    fn channel(&mut self, channel: &str) -> Arc<str> {
        match self.channels.get_key_value(channel) {
            Some((name, _)) => Arc::clone(name),
            None => {
                let name: Arc<str> = channel.into();
                self.channels.insert(Arc::clone(&name), BTreeMap::new());
                name
            }
        }
    }

    fn enter(&mut self, channel: &str, addition: &Addition<'_>) {
        let name = self.channel(channel);
        let blocks = self.channels.get_mut(&name);
        let blocks = blocks.expect("the channel was made if it was not there");
        for resolution in Resolution::ALL {
            let start = resolution.block_of(addition.at);
            let is_closed = ends(resolution, start) <= self.closed;
            if is_closed && self.recovers {
                continue;
            }
            if is_closed {
                let place = (Arc::clone(&name), resolution, start);
                let bins = match self.closing.entry(place.clone()) {
                    btree_map::Entry::Occupied(entry) => entry.into_mut(),
                    btree_map::Entry::Vacant(_) => self.late.entry(place).or_default(),
                };
                let place = addition.place(resolution, start);
                for series in addition.series {
                    put(bins, *series, place, addition.level, 0);
                }
                continue;
            }
            blocks.entry((resolution, start)).or_default().add(resolution, start, addition);
        }
    }

    /// When there is something to write: the next block closes, or something came late for one; none while there is nothing.
    pub(super) fn next_close(&self) -> Option<u64> {
        let ends = |blocks: &BTreeMap<(Resolution, u64), OpenBlock>| {
            blocks.keys().map(|(resolution, start)| ends(*resolution, *start)).min()
        };
        let late = (!self.late.is_empty()).then_some(self.closed);
        self.channels.values().filter_map(ends).chain(late).min()
    }

    /// Closes the blocks that have ended by now.
    pub(super) fn close(&mut self, now: u64) {
        self.closed = self.closed.max(now);
        for (channel, blocks) in &mut self.channels {
            let ended = |(resolution, start): &(Resolution, u64)| ends(*resolution, *start) <= now;
            let places: Vec<_> = blocks.keys().filter(|place| ended(place)).copied().collect();
            for place in places {
                let Some(block) = blocks.remove(&place) else { continue };
                self.closing.insert((Arc::clone(channel), place.0, place.1), block.bins);
            }
        }
    }

    /// What closed and late blocks hold is in the store, if the commit has written it.
    pub(super) fn written(&mut self) {
        if !std::mem::take(&mut self.writes) {
            return;
        }
        self.closing.clear();
        self.late.clear();
        self.names.written();
    }

    /// The bins of a block that is not in the store yet.
    pub(super) fn bins(&self, channel: &str, resolution: Resolution, start: u64) -> Option<&Bins> {
        let open = self.channels.get(channel).and_then(|blocks| blocks.get(&(resolution, start)));
        open.map(|block| &block.bins)
            .or_else(|| self.closing.get(&(Arc::from(channel), resolution, start)))
    }

    /// The blocks of all channels that are open: where each starts, and what it holds.
    pub(super) fn open_blocks(
        &self,
        resolution: Resolution,
    ) -> impl Iterator<Item = (&str, u64, &Bins)> {
        self.channels.iter().flat_map(move |(channel, blocks)| {
            let blocks = blocks.range((resolution, 0)..=(resolution, u64::MAX));
            blocks.map(move |((_, start), block)| (&**channel, *start, &block.bins))
        })
    }

    /// Where the blocks start that are not in the store yet.
    pub(super) fn starts(&self, channel: &str, resolution: Resolution) -> Vec<u64> {
        let open = self.channels.get(channel).into_iter().flat_map(BTreeMap::keys);
        let open = open.filter(|place| place.0 == resolution).map(|place| place.1);
        let closing = self.closing.keys();
        let closing = closing.filter(|place| &*place.0 == channel && place.1 == resolution);
        let mut starts: Vec<u64> = open.chain(closing.map(|place| place.2)).collect();
        starts.sort_unstable();
        starts.dedup();
        starts
    }
}

/// When a block that starts then is closed.
pub(super) fn ends(resolution: Resolution, start: u64) -> u64 {
    start + resolution.block() + SLACK
}

impl Addition<'_> {
    /// Into which bin of a block it belongs.
    fn place(&self, resolution: Resolution, start: u64) -> u32 {
        ((self.at - start) / resolution.width()) as u32
    }
}

impl OpenBlock {
    fn add(&mut self, resolution: Resolution, start: u64, addition: &Addition<'_>) {
        let place = addition.place(resolution, start);
        let is_over = |place: u32| {
            start + (u64::from(place) + 1) * resolution.width() + SLACK <= addition.now
        };
        let mut known = None;
        if let Some(person) = addition.person {
            while self.people.first_key_value().is_some_and(|(&place, _)| is_over(place)) {
                self.people.pop_first();
            }
            // A line that comes later is counted, but its person is not compared with the others.
            if !is_over(place) {
                known = Some((self.people.entry(place).or_default(), person));
            }
        }
        for series in addition.series {
            let is_new =
                |(people, person): &mut (&mut People, u64)| people.insert(mixed(*series, *person));
            let people = u32::from(known.as_mut().is_some_and(is_new));
            put(&mut self.bins, *series, place, addition.level, people);
        }
    }
}

/// Counts one more in a bin, or sets its level. Nearly always that is the last bin.
fn put(bins: &mut Bins, series: u32, place: u32, level: Option<i64>, people: u32) {
    // Most emotes are used once, so no memory is reserved for more bins.
    let bins = bins.entry(series).or_insert_with(|| Vec::with_capacity(1));
    let found = match bins.last() {
        Some(last) if last.place == place => bins.len() - 1,
        Some(last) if last.place < place => {
            bins.push(Bin { place, ..Bin::default() });
            bins.len() - 1
        }
        _ => {
            let found = bins.partition_point(|bin| bin.place < place);
            if bins.get(found).is_none_or(|bin| bin.place != place) {
                bins.insert(found, Bin { place, ..Bin::default() });
            }
            found
        }
    };
    let bin = &mut bins[found];
    bin.count = level.unwrap_or_else(|| bin.count.saturating_add(1));
    bin.people = bin.people.saturating_add(people);
}

/// The number at the start of a text, in thousandths: `7`, `12.5`, `-3 and more`.
fn thousandths(text: &str) -> Option<i64> {
    let text = text.trim();
    let end = text
        .find(|it: char| !it.is_ascii_digit() && !matches!(it, '.' | '-' | '+'))
        .unwrap_or(text.len());
    // A letter right behind it makes it something else.
    if text[end..].starts_with(char::is_alphanumeric) {
        return None;
    }
    let number: f64 = text[..end].parse().ok()?;
    let scaled = (number * 1000.0).round();
    (scaled.abs() < 9e15).then_some(scaled as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_counts_as_the_number_that_it_starts_with() {
        assert_eq!(thousandths("7"), Some(7000));
        assert_eq!(thousandths(" 12.5 °"), Some(12_500));
        assert_eq!(thousandths("-0.25"), Some(-250));
        for text in ["", "hot", ".", "-", "1e400", "99999999999999999999"] {
            assert_eq!(thousandths(text), None, "{text}");
        }
    }

    #[test]
    fn somebody_counts_once_in_each_bin() {
        let mut open = Open::default();
        for (at, person) in [(1_000, 1), (1_900, 1), (2_000, 1), (2_100, 2)] {
            open.add("seaside", &[0], at, at, Some(person));
        }
        let bins = |resolution, start| open.bins("seaside", resolution, start).cloned();
        let bin = |place, count, people| Bin { place, count, people };
        let seconds = Bins::from([(0, vec![bin(1, 2, 1), bin(2, 2, 2)])]);
        assert_eq!(bins(Resolution::Second, 0), Some(seconds));
        assert_eq!(bins(Resolution::Hour, 0), Some(Bins::from([(0, vec![bin(0, 4, 2)])])));
    }

    #[test]
    fn a_late_line_is_counted_in_its_own_bin() {
        let mut open = Open::default();
        open.add("seaside", &[0], 1_000, 1_000, Some(1));
        open.add("seaside", &[0], 5_000, 5_000, Some(1));
        // Late and in an open block: its person is not known to be another.
        open.add("seaside", &[0], 1_500, 20_000, Some(2));
        let bin = |place, count, people| Bin { place, count, people };
        let seconds = open.bins("seaside", Resolution::Second, 0).cloned();
        assert_eq!(seconds, Some(Bins::from([(0, vec![bin(1, 2, 1), bin(5, 1, 1)])])));
        // Later than the block.
        open.close(70_000);
        open.writes = true;
        open.written();
        open.add("seaside", &[0], 1_500, 75_000, Some(3));
        let late: Vec<_> = open.late.values().cloned().collect();
        assert_eq!(late, [Bins::from([(0, vec![bin(1, 1, 0)])])]);
        assert_eq!(open.starts("seaside", Resolution::FiveSeconds), [0]);
    }

    #[test]
    fn a_level_stands_until_it_changes() {
        let mut open = Open::default();
        for (text, now) in
            [(Some("1"), 1_000), (Some("2"), 1_500), (Some("2"), 3_000), (None, 4_000)]
        {
            open.level("seaside", "heat", text, now);
        }
        let bins = open.bins("seaside", Resolution::Second, 0).cloned().unwrap_or_default();
        let level = Bin { place: 1, count: 2_000, people: 0 };
        assert_eq!(bins.into_values().collect::<Vec<_>>(), [vec![level]]);
    }
}
