//! Reads series: from the store what is closed, from memory what is still open.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use redb::ReadableTable;

use super::block::{self, Bin};
use super::names::What;
use super::open::ends;
use super::resolution::Resolution;
use super::shared::SharedSeries;
use crate::error::StoreError;
use crate::store::Store;

/// How many stored blocks are searched backwards for what an output showed before a range.
const LOOK_BACK: usize = 500;

/// A stretch of time in milliseconds since 1970: from the first, to before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Where it starts.
    pub from: u64,
    /// Where what follows it starts.
    pub to: u64,
}

/// One bin in which something was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When the bin starts, in milliseconds since 1970.
    pub at: u64,
    /// How often; of an output its last value in thousandths.
    pub count: i64,
    /// By how many people.
    pub people: u32,
}

/// How often something was counted in a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// What.
    pub what: What,
    /// The provider's id, of an emote.
    pub id: String,
    /// How often.
    pub count: i64,
    /// When the last bin starts in which it was counted.
    pub last: u64,
}

/// A reader of what was counted in all channels, for other threads.
#[derive(Clone)]
pub struct Statistics {
    pub(super) store: Store,
    pub(super) shared: SharedSeries,
}

impl Statistics {
    pub(super) fn new(store: Store, shared: SharedSeries) -> Self {
        Self { store, shared }
    }

    /// Whether this was ever counted, in any channel. It waits for nothing: while the log is read, nobody can deny it.
    pub fn knows(&self, what: &What) -> bool {
        self.shared.present().is_none_or(|it| it.open.names.number(what).is_some())
    }

    /// The bins of a range in which something was counted, in order: for each that was asked for.
    pub fn points(
        &self,
        channel: &str,
        wanted: &[What],
        resolution: Resolution,
        range: Range,
    ) -> Result<Vec<Vec<Point>>, StoreError> {
        let numbers: Vec<Option<u32>> = {
            let open = &self.shared.read()?.open;
            wanted.iter().map(|what| open.names.number(what)).collect()
        };
        let places: HashMap<u32, usize> = (0..)
            .zip(&numbers)
            .filter_map(|(place, number)| Some((number.as_ref().copied()?, place)))
            .collect();
        let mut points = vec![Vec::new(); wanted.len()];
        self.bins(
            channel,
            resolution,
            range,
            |series| places.contains_key(&series),
            |series, point| {
                if let Some(&place) = places.get(&series) {
                    points[place].push(point);
                }
            },
        )?;
        // Open blocks come first, and what was asked for twice is told twice.
        for points in &mut points {
            points.sort_unstable_by_key(|point: &Point| point.at);
        }
        for place in 0..wanted.len() {
            if let Some(first) = numbers[place].and_then(|number| places.get(&number))
                && *first != place
            {
                points[place] = points[*first].clone();
            }
        }
        Ok(points)
    }

    /// How often each thing was counted in a range, as far as whole bins of this resolution go.
    pub fn totals(
        &self,
        channel: &str,
        resolution: Resolution,
        range: Range,
    ) -> Result<Vec<Total>, StoreError> {
        let mut sums: BTreeMap<u32, (i64, u64)> = BTreeMap::new();
        self.bins(
            channel,
            resolution,
            range,
            |_| true,
            |series, point| {
                let sum = sums.entry(series).or_default();
                *sum = (sum.0.saturating_add(point.count), sum.1.max(point.at));
            },
        )?;
        let open = &self.shared.read()?.open;
        let total = |(series, (count, last))| {
            let (what, id) = open.names.what(series)?;
            let id = id.to_owned();
            (!matches!(what, What::Output(_))).then_some(Total { what, id, count, last })
        };
        Ok(sums.into_iter().filter_map(total).collect())
    }

    /// What an output showed before this time, in thousandths, as far back as is looked.
    pub fn level_before(
        &self,
        channel: &str,
        output: &str,
        at: u64,
    ) -> Result<Option<i64>, StoreError> {
        let output = What::Output(output.to_owned());
        let Some(number) = self.shared.read()?.open.names.number(&output) else {
            return Ok(None);
        };
        for resolution in [Resolution::Second, Resolution::FiveMinutes, Resolution::Hour] {
            let found = self.last_before(channel, number, resolution, at)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn last_before(
        &self,
        channel: &str,
        number: u32,
        resolution: Resolution,
        at: u64,
    ) -> Result<Option<i64>, StoreError> {
        let before =
            |start: u64, bin: &Bin| start + (u64::from(bin.place) + 1) * resolution.width() <= at;
        {
            let open = &self.shared.read()?.open;
            for start in open.starts(channel, resolution).into_iter().rev() {
                let bins = open.bins(channel, resolution, start).and_then(|bins| bins.get(&number));
                let found = bins.and_then(|bins| bins.iter().rev().find(|bin| before(start, bin)));
                if let Some(bin) = found {
                    return Ok(Some(bin.count));
                }
            }
        }
        let snapshot = self.store.snapshot()?;
        let table = snapshot.tables.blocks()?;
        let code = resolution.code();
        let rows = table.range((channel, code, 0)..(channel, code, at))?.rev().take(LOOK_BACK);
        for row in rows {
            let (key, value) = row?;
            let (start, mut last) = (key.value().2, None);
            block::read(
                value.value(),
                |series| series == number,
                |_, bin| {
                    if before(start, &bin) {
                        last = Some(bin.count);
                    }
                },
            )?;
            if last.is_some() {
                return Ok(last);
            }
        }
        Ok(None)
    }

    /// Calls this for every wanted bin that starts in the range.
    fn bins(
        &self,
        channel: &str,
        resolution: Resolution,
        range: Range,
        wanted: impl Fn(u32) -> bool,
        mut each: impl FnMut(u32, Point),
    ) -> Result<(), StoreError> {
        let point = |start: u64, bin: Bin| {
            let at = start + u64::from(bin.place) * resolution.width();
            let point = Point { at, count: bin.count, people: bin.people };
            (range.from <= at && at < range.to).then_some(point)
        };
        let known = self.open_bins(channel, resolution, &wanted, |start, series, bin| {
            if let Some(it) = point(start, bin) {
                each(series, it);
            }
        })?;
        // What was in memory a moment ago may be in the store by now; the other way round it cannot be.
        let snapshot = self.store.snapshot()?;
        let table = snapshot.tables.blocks()?;
        let code = resolution.code();
        let first = (channel, code, resolution.block_of(range.from));
        let end = (channel, code, range.to);
        for row in table.range::<(&str, u8, u64)>((Bound::Included(first), Bound::Excluded(end)))? {
            let (key, value) = row?;
            let start = key.value().2;
            if known.contains(&start) {
                continue;
            }
            block::read(value.value(), &wanted, |series, bin| {
                if let Some(it) = point(start, bin) {
                    each(series, it);
                }
            })?;
        }
        Ok(())
    }

    /// Calls this for every wanted bin that is not in the store yet, and says of which blocks they are.
    fn open_bins(
        &self,
        channel: &str,
        resolution: Resolution,
        wanted: impl Fn(u32) -> bool,
        mut each: impl FnMut(u64, u32, Bin),
    ) -> Result<Vec<u64>, StoreError> {
        let open = &self.shared.read()?.open;
        let starts = open.starts(channel, resolution);
        for &start in &starts {
            let Some(bins) = open.bins(channel, resolution, start) else { continue };
            for (&series, bins) in bins.iter().filter(|(series, _)| wanted(**series)) {
                bins.iter().for_each(|bin| each(start, series, *bin));
            }
        }
        Ok(starts)
    }

    /// How many blocks are stored, and how many bytes they have, by resolution.
    pub fn stored(&self) -> Result<Vec<(Resolution, u64, u64)>, StoreError> {
        let mut found: Vec<_> = Resolution::ALL.into_iter().map(|it| (it, 0, 0)).collect();
        for row in self.store.snapshot()?.tables.blocks()?.iter()? {
            let (key, block) = row?;
            if let Some(sum) = found.get_mut(usize::from(key.value().1)) {
                (sum.1, sum.2) = (sum.1 + 1, sum.2 + block.value().len() as u64);
            }
        }
        Ok(found)
    }

    /// Whether the log of before the start is read: until then [`Statistics::latest`] knows nothing, and whatever else is asked waits.
    pub fn is_read(&self) -> bool {
        self.shared.is_read()
    }

    /// The value of one bin of the present, of each that was asked for: without the disk, so for any thread. None of a time
    /// that is in the store by now, and while the log is read.
    pub fn latest(
        &self,
        channel: &str,
        wanted: &[What],
        resolution: Resolution,
        at: u64,
    ) -> Option<Vec<Option<Point>>> {
        let open = &self.shared.present()?.open;
        let start = resolution.block_of(at);
        let place = ((at - start) / resolution.width()) as u32;
        let bins = open.bins(channel, resolution, start);
        if bins.is_none() && ends(resolution, start) <= open.closed {
            return None;
        }
        let point = |what| {
            let bins = bins?.get(&open.names.number(what)?)?;
            let found = bins.binary_search_by_key(&place, |bin| bin.place).ok()?;
            let Bin { count, people, .. } = bins[found];
            Some(Point { at: resolution.bin(at), count, people })
        };
        Some(wanted.iter().map(point).collect())
    }
}
