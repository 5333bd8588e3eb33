//! The floor of a durable fave: redb and nothing else, with the tables of the store and the rows that the engine wrote.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::faves::GROUP;
use crate::stage::{self, Mix};

// As the engine's `tables.rs` has them; a store of other tables fails to open here.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const STATE: TableDefinition<'_, (&str, &str, u64, &str), &[u8]> = TableDefinition::new("state");
const TALLIES: TableDefinition<'_, (&str, u8, &str, &str), (u64, i64, u32)> =
    TableDefinition::new("tallies");
const PEOPLE: TableDefinition<'_, (&str, &str), (&str, &str)> = TableDefinition::new("people");
const OUTPUTS: TableDefinition<'_, (&str, &str), (&str, Option<&str>)> =
    TableDefinition::new("outputs");
const TIMERS: TableDefinition<'_, (&str, &str, u64, &str), u64> = TableDefinition::new("timers");
const LOG: TableDefinition<'_, u64, (u64, u64, u32, &[u8])> = TableDefinition::new("log");

/// The engine's cache, in bytes.
const CACHE_BYTES: usize = 8 << 20;

/// Kind, person and item of a tally.
type TallyKey = (u8, String, String);

/// Faves and people of a tally. Weights are the business of a rule.
type Tallied = BTreeMap<TallyKey, (u64, u32)>;

/// What a store holds.
pub(crate) struct Kept {
    tallies: Tallied,
    people: BTreeMap<String, String>,
    state: Vec<(String, u64, String, Vec<u8>)>,
    timers: Vec<(String, u64, String, u64)>,
    outputs: Vec<(String, String, Option<String>)>,
    log: Vec<LogRow>,
}

/// A block of the log: its first record; its first and last time, how many records, and its bytes.
type LogRow = (u64, (u64, u64, u32, Vec<u8>));

impl Kept {
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let database = Database::open(file)?;
        let tables = database.begin_read()?;
        let mut kept = Self {
            tallies: BTreeMap::new(),
            people: BTreeMap::new(),
            state: Vec::new(),
            timers: Vec::new(),
            outputs: Vec::new(),
            log: Vec::new(),
        };
        for row in tables.open_table(TALLIES)?.iter()? {
            let (key, row) = row?;
            let ((_, kind, person, item), (faves, _, people)) = (key.value(), row.value());
            kept.tallies.insert((kind, person.to_owned(), item.to_owned()), (faves, people));
        }
        for row in tables.open_table(PEOPLE)?.iter()? {
            let (key, row) = row?;
            kept.people.insert(key.value().1.to_owned(), row.value().0.to_owned());
        }
        for row in tables.open_table(STATE)?.iter()? {
            let (key, value) = row?;
            let (_, slot, generation, key) = key.value();
            kept.state.push((slot.to_owned(), generation, key.to_owned(), value.value().to_vec()));
        }
        for row in tables.open_table(TIMERS)?.iter()? {
            let (key, at) = row?;
            let (_, slot, generation, name) = key.value();
            kept.timers.push((slot.to_owned(), generation, name.to_owned(), at.value()));
        }
        for row in tables.open_table(OUTPUTS)?.iter()? {
            let (key, row) = row?;
            let (slot, text) = row.value();
            let (name, slot) = (key.value().1.to_owned(), slot.to_owned());
            kept.outputs.push((name, slot, text.map(str::to_owned)));
        }
        for row in tables.open_table(LOG)?.iter()? {
            let (number, row) = row?;
            let (first, last, records, bytes) = row.value();
            kept.log.push((number.value(), (first, last, records, bytes.to_vec())));
        }
        Ok(kept)
    }

    /// The blocks of the log that stand for one group's commit. A commit writes one or several, and the log does not say where it ends: so each group
    /// gets the same share, in order.
    fn blocks(&self, group: u64, groups: u64) -> &[LogRow] {
        // The first block is that of the start.
        let rows = &self.log[1..];
        let place = |group: u64| (rows.len() as u64 * group / groups) as usize;
        &rows[place(group)..place(group + 1)]
    }

    /// An error unless the other store holds the same counts, people and number of rows.
    pub(crate) fn compare(&self, other: &Self) -> Result<()> {
        ensure!(self.tallies == other.tallies, "the bare store has other tallies");
        ensure!(self.people == other.people, "the bare store has other people");
        let rows = |kept: &Self| (kept.state.len(), kept.timers.len(), kept.outputs.len());
        ensure!(rows(self) == rows(other), "the bare store has other rows");
        // The engine's first block is that of its start.
        ensure!(self.log.len() == other.log.len() + 1, "the bare store has another log");
        Ok(())
    }
}

/// The counts of all faves so far, and which of them a group has changed.
#[derive(Default)]
struct Counts {
    tallies: Tallied,
    changed: BTreeMap<TallyKey, (u64, u32)>,
    people: BTreeMap<String, String>,
}

impl Counts {
    /// Counts the faves of one group, as the engine does: of the channel, the item, the person, and of both.
    fn count(&mut self, mix: Mix, faves: Range<u64>) {
        self.changed.clear();
        self.people.clear();
        for number in faves {
            let (login, item) = stage::fave(mix, number);
            let id = format!("id-{login}");
            let person = (2, id.clone(), String::new());
            let both = (3, id.clone(), item.clone());
            let new_here = u32::from(!self.tallies.contains_key(&person));
            let new_pair = u32::from(!self.tallies.contains_key(&both));
            let channel = (0, String::new(), String::new());
            let of_item = (1, String::new(), item);
            for (key, people) in
                [(channel, new_here), (of_item, new_pair), (person, new_here), (both, new_pair)]
            {
                let tally = self.tallies.entry(key.clone()).or_default();
                *tally = (tally.0 + 1, tally.1 + people);
                self.changed.insert(key, *tally);
            }
            // A name that is known is not written again.
            if new_here == 1 {
                self.people.insert(id, login);
            }
        }
    }
}

/// Writes what the engine wrote, group by group, and returns the seconds that the transactions took.
pub(crate) fn write_bare(file: &Path, mix: Mix, kept: &Kept, groups: u64) -> Result<f64> {
    let mut bare = BareStore::create(file, mix, kept, groups)?;
    let mut seconds = 0.0;
    for group in 0..groups {
        bare.count(group * GROUP..(group + 1) * GROUP);
        let start = Instant::now();
        bare.write(group)?;
        seconds += start.elapsed().as_secs_f64();
    }
    Ok(seconds)
}

/// redb alone, which gets the rows that an engine has written.
pub(crate) struct BareStore<'a> {
    database: Database,
    mix: Mix,
    kept: &'a Kept,
    /// How many groups there will be.
    groups: u64,
    counts: Counts,
}

impl<'a> BareStore<'a> {
    pub(crate) fn create(file: &Path, mix: Mix, kept: &'a Kept, groups: u64) -> Result<Self> {
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(file)?;
        Ok(Self { database, mix, kept, groups, counts: Counts::default() })
    }

    /// Counts these faves: no part of a transaction.
    pub(crate) fn count(&mut self, faves: Range<u64>) {
        self.counts.count(self.mix, faves);
    }

    /// Writes what was counted last, which is the group of this number.
    pub(crate) fn write(&self, group: u64) -> Result<()> {
        let blocks = self.kept.blocks(group, self.groups);
        write_group(&self.database, self.kept, &self.counts, blocks)
    }
}

fn write_group(database: &Database, kept: &Kept, counts: &Counts, blocks: &[LogRow]) -> Result<()> {
    let transaction = database.begin_write()?;
    {
        let channel = stage::CHANNEL;
        let mut state = transaction.open_table(STATE)?;
        for (slot, generation, key, value) in &kept.state {
            state.insert((channel, slot.as_str(), *generation, key.as_str()), value.as_slice())?;
        }
        let mut timers = transaction.open_table(TIMERS)?;
        for (slot, generation, name, at) in &kept.timers {
            timers.insert((channel, slot.as_str(), *generation, name.as_str()), at)?;
        }
        let mut tallies = transaction.open_table(TALLIES)?;
        for ((kind, person, item), (faves, people)) in &counts.changed {
            let row = (*faves, *faves as i64 * 1000, *people);
            tallies.insert((channel, *kind, person.as_str(), item.as_str()), row)?;
        }
        let mut people = transaction.open_table(PEOPLE)?;
        for (id, login) in &counts.people {
            people.insert((channel, id.as_str()), (login.as_str(), login.as_str()))?;
        }
        let mut outputs = transaction.open_table(OUTPUTS)?;
        for (name, slot, text) in &kept.outputs {
            outputs.insert((channel, name.as_str()), (slot.as_str(), text.as_deref()))?;
        }
        let (mut log, mut meta) = (transaction.open_table(LOG)?, transaction.open_table(META)?);
        meta.insert("next-send", 0)?;
        for (first, (first_at, last_at, records, bytes)) in blocks {
            log.insert(first, (*first_at, *last_at, *records, bytes.as_slice()))?;
            meta.insert("next-record", first + u64::from(*records))?;
            meta.insert("newest", last_at)?;
        }
    }
    transaction.commit()?;
    Ok(())
}
