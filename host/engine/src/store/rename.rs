//! A channel that has another login now: what is stored of it goes from the old name to the new one, in one transaction.
//!
//! Everything is keyed by login, since that is what chat, settings and people say. Twitch's id of a channel stays, and is kept beside it (`room:LOGIN`
//! among the single numbers): so a new login of a known channel is noticed.

use std::collections::BTreeMap;

use redb::{AccessGuard, Key, ReadableTable, Table, Value, WriteTransaction};

use crate::error::StoreError;
use crate::store::changes::AuditEntry;
use crate::store::counts::CountKind;
use crate::store::dead_letter::DeadLetter;
use crate::store::log::{Block, decode, encode};
use crate::store::record::Record;
use crate::store::snapshot::Snapshot;
use crate::store::tables::*;

/// What stands before a login, among the single numbers, for the id of its channel.
const ROOM: &str = "room:";

/// How many rows are in memory at once.
const BATCH: usize = 1_000;

/// What becomes of what both names have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Both {
    /// The new name has counted nothing: what is there of it is of a start, and goes.
    Replaced,
    /// The new name has counts of its own. The counts are added; the rules' state, outputs and checkpoints are those of the new name.
    Added,
}

/// A new name of a channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Renaming<'a> {
    pub(crate) old: &'a str,
    pub(crate) new: &'a str,
    pub(crate) both: Both,
}

impl Snapshot {
    /// The id of a channel, as Twitch has said it; none while it is not known.
    pub fn room(&self, channel: &str) -> Result<Option<u64>, StoreError> {
        Ok(Some(self.meta(&format!("{ROOM}{channel}"))?).filter(|id| *id != 0))
    }

    /// The other logins that the channel of this id has had.
    pub fn logins_of_room(&self, id: u64, channel: &str) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        for row in self.tables.meta()?.range(ROOM..)? {
            let (name, known) = row?;
            let Some(login) = name.value().strip_prefix(ROOM) else { break };
            if known.value() == id && login != channel {
                found.push(login.to_owned());
            }
        }
        Ok(found)
    }
}

/// Keeps the id of a channel.
pub(crate) fn keep_room(
    transaction: &WriteTransaction,
    channel: &str,
    id: u64,
) -> Result<(), StoreError> {
    transaction.open_table(META)?.insert(format!("{ROOM}{channel}").as_str(), id)?;
    Ok(())
}

/// Gives rows whose key begins with the channel to the new name. `$parts` are those of a key.
macro_rules! move_rows {
    ($transaction:expr, $it:expr, $table:expr, $from:expr, ($($part:ident),+), $stays:expr) => {{
        let mut table = $transaction.open_table($table)?;
        loop {
            let mut batch = Vec::new();
            for row in table.range($from..)?.take(BATCH) {
                let (key, value) = row?;
                if key.value().0 != $it.old {
                    break;
                }
                batch.push((key_bytes(&key), value_bytes(&value)));
            }
            if batch.is_empty() {
                break;
            }
            for (key, value) in batch {
                table.remove(key_of(&table, &key))?;
                let (_, $($part),+) = key_of(&table, &key);
                let renamed = ($it.new, $($part),+);
                let is_there = table.get(renamed)?.is_some();
                if !($stays && is_there) {
                    let value = value_of(&table, &value);
                    table.insert(renamed, value)?;
                }
            }
        }
    }};
}

/// Removes rows whose key begins with the channel.
macro_rules! remove_rows {
    ($transaction:expr, $table:expr, $from:expr, $channel:expr) => {{
        let mut table = $transaction.open_table($table)?;
        table.retain_in($from.., |key, _| key.0 != $channel)?;
    }};
}

fn key_bytes<K: Key + 'static>(key: &AccessGuard<'_, K>) -> Vec<u8> {
    K::as_bytes(&key.value()).as_ref().to_vec()
}

fn value_bytes<V: Value + 'static>(value: &AccessGuard<'_, V>) -> Vec<u8> {
    V::as_bytes(&value.value()).as_ref().to_vec()
}

fn key_of<'a, K: Key + 'static, V: Value + 'static>(
    _: &Table<'_, K, V>,
    bytes: &'a [u8],
) -> K::SelfType<'a> {
    K::from_bytes(bytes)
}

fn value_of<'a, K: Key + 'static, V: Value + 'static>(
    _: &Table<'_, K, V>,
    bytes: &'a [u8],
) -> V::SelfType<'a> {
    V::from_bytes(bytes)
}

impl Renaming<'_> {
    /// Writes everything but the series.
    pub(crate) fn write(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let old = self.old;
        // What is left of the name whose state does not hold.
        let gone = match self.both {
            Both::Replaced => self.new,
            Both::Added => old,
        };
        remove_rows!(transaction, STATE, (gone, "", 0, ""), gone);
        remove_rows!(transaction, TIMERS, (gone, "", 0, ""), gone);
        remove_rows!(transaction, SLOTS, (gone, ""), gone);
        remove_rows!(transaction, SLOT_OVERRIDES, (gone, ""), gone);
        remove_rows!(transaction, CHECKPOINTS, (gone, 0), gone);
        remove_rows!(transaction, OUTPUTS, (gone, ""), gone);
        move_rows!(transaction, self, STATE, (old, "", 0, ""), (slot, generation, key), false);
        move_rows!(transaction, self, TIMERS, (old, "", 0, ""), (slot, generation, name), false);
        move_rows!(transaction, self, CHECKPOINTS, (old, 0), (number), false);
        move_rows!(transaction, self, SLOTS, (old, ""), (slot), false);
        move_rows!(transaction, self, SLOT_OVERRIDES, (old, ""), (slot), false);
        move_rows!(transaction, self, OUTPUTS, (old, ""), (output), false);
        self.add_counts(transaction)?;
        move_rows!(transaction, self, PEOPLE, (old, ""), (id), true);
        move_rows!(transaction, self, FORMER_NAMES, (old, "", 0), (id, until), true);
        move_rows!(transaction, self, IMPORTED, (old, "", "", ""), (source, id, item), true);
        self.write_single(transaction)?;
        self.write_named(transaction)?;
        self.write_log(transaction)
    }

    /// Adds the counts of the old name to those of the new one. Somebody who is in both is one person.
    fn add_counts(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut tallies = transaction.open_table(TALLIES)?;
        let mut twice: BTreeMap<String, u32> = BTreeMap::new();
        let mut twice_here = 0;
        loop {
            let mut batch = Vec::new();
            // From behind: people and what they gave stand before what is known of items only there.
            for row in tallies
                .range((self.old, 0, "", "")..=(self.old, u8::MAX, "", ""))?
                .rev()
                .take(BATCH)
            {
                let (key, value) = row?;
                let (_, kind, person, item) = key.value();
                batch.push((kind, person.to_owned(), item.to_owned(), value.value()));
            }
            if batch.is_empty() {
                return Ok(());
            }
            for (kind, person, item, (faves, weight, people)) in batch {
                tallies.remove((self.old, kind, person.as_str(), item.as_str()))?;
                let key = (self.new, kind, person.as_str(), item.as_str());
                let known = tallies.get(key)?.map(|row| row.value());
                let is_both = known.is_some_and(|known| known.2 > 0) && people > 0;
                let known = known.unwrap_or_default();
                let both = match kind {
                    it if it == CountKind::Person.code() => {
                        twice_here += u32::from(is_both);
                        u32::from(is_both)
                    }
                    it if it == CountKind::PersonItem.code() => {
                        *twice.entry(item.clone()).or_default() += u32::from(is_both);
                        u32::from(is_both)
                    }
                    it if it == CountKind::Item.code() => twice.get(&item).copied().unwrap_or(0),
                    _ => twice_here,
                };
                let sum = (
                    known.0.saturating_add(faves),
                    known.1.saturating_add(weight),
                    known.2.saturating_add(people).saturating_sub(both),
                );
                tallies.insert(key, sum)?;
            }
        }
    }

    /// What there is once of a channel.
    fn write_single(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut streams = transaction.open_table(STREAMS)?;
        let before = streams.remove(self.old)?.map(|row| row.value());
        let holds = self.both == Both::Replaced || streams.get(self.new)?.is_none();
        if let Some(before) = before.filter(|_| holds) {
            streams.insert(self.new, before)?;
        }
        transaction.open_table(CHANNEL_OVERRIDES)?.remove(self.old)?;
        transaction.open_table(META)?.remove(format!("{ROOM}{}", self.old).as_str())?;
        Ok(())
    }

    /// Rows that name the channel in what they hold.
    fn write_named(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut clips = transaction.open_table(CLIPS)?;
        let mut changed = Vec::new();
        for row in clips.iter()? {
            let (number, clip) = row?;
            let (channel, title, seconds) = clip.value();
            if channel == self.old {
                changed.push((number.value(), title.to_owned(), seconds));
            }
        }
        for (number, title, seconds) in changed {
            clips.insert(number, (self.new, title.as_str(), seconds))?;
        }
        let mut letters = transaction.open_table(DEAD_LETTERS)?;
        let mut changed = Vec::new();
        for row in letters.iter()? {
            let (number, letter) = row?;
            let mut letter: DeadLetter = decode(letter.value())?;
            if letter.channel == self.old {
                self.new.clone_into(&mut letter.channel);
                self.new.clone_into(&mut letter.event.channel);
                changed.push((number.value(), encode(&letter)?));
            }
        }
        for (number, letter) in changed {
            letters.insert(number, letter.as_slice())?;
        }
        let mut audit = transaction.open_table(AUDIT)?;
        let mut changed = Vec::new();
        for row in audit.iter()? {
            let (number, entry) = row?;
            let mut entry: AuditEntry = decode(entry.value())?;
            if entry.channel == self.old {
                self.new.clone_into(&mut entry.channel);
                changed.push((number.value(), encode(&entry)?));
            }
        }
        for (number, entry) in changed {
            audit.insert(number, entry.as_slice())?;
        }
        Ok(())
    }

    /// The log is written again where it has the channel, block by block: replays, why and undo go by the name.
    fn write_log(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut log = transaction.open_table(LOG)?;
        let mut next = 0;
        loop {
            let row = log.range(next..)?.next().transpose()?;
            let Some((number, records)) =
                row.map(|(number, row)| (number.value(), Block::decode(row.value().3)))
            else {
                return Ok(());
            };
            let mut records = records?;
            let mut changed = false;
            for record in records.iter_mut().filter(|record| record.channel() == self.old) {
                self.rename(record);
                changed = true;
            }
            if changed && let Some(block) = Block::encode(number, &records)? {
                log.insert(number, block.row())?;
            }
            next = number + 1;
        }
    }

    /// Gives the new name to a record of the old one.
    fn rename(&self, record: &mut Record) {
        let name = match record {
            Record::Event { event, .. } => &mut event.channel,
            Record::Retried { channel, event, .. } => {
                self.new.clone_into(&mut event.channel);
                channel
            }
            Record::Timer { channel, .. }
            | Record::Fault { channel, .. }
            | Record::Faves { channel, .. }
            | Record::Undone { channel, .. }
            | Record::Handed { channel, .. }
            | Record::Chain { channel, .. }
            | Record::Gap { channel, .. }
            | Record::Imported { channel, .. }
            | Record::Joined { channel, .. }
            | Record::Emotes { channel, .. } => channel,
        };
        self.new.clone_into(name);
    }
}
