//! The counts of faves as rows.

use redb::{ReadableTable, ReadableTableMetadata};

use crate::contract::{Person, Tally};
use crate::error::StoreError;
use crate::store::snapshot::Snapshot;

/// What a count is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum CountKind {
    /// All faves of a channel.
    Channel,
    /// Those of an item.
    Item,
    /// Those of a person.
    Person,
    /// Those that a person gave an item.
    PersonItem,
}

/// One count.
#[derive(Debug, Clone, PartialEq)]
pub struct CountRow {
    /// Login of the channel.
    pub channel: String,
    /// What it is of.
    pub kind: CountKind,
    /// Whose faves, with the names as last seen; none for a count of a channel or an item.
    pub person: Option<Person>,
    /// For what; empty for a count of a channel or a person, and for "this moment".
    pub item: String,
    /// How many, and what they weigh.
    pub tally: Tally,
}

impl CountKind {
    /// How it is written in the store: `Channel` is 0.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    fn of(code: u8) -> Result<Self, StoreError> {
        Ok(match code {
            0 => Self::Channel,
            1 => Self::Item,
            2 => Self::Person,
            3 => Self::PersonItem,
            other => {
                let problem = format!("there is no kind {other} of counts");
                return Err(StoreError::Damaged { what: "count", problem });
            }
        })
    }
}

/// A stored tally.
pub(crate) fn tally((faves, weight, people): (u64, i64, u32)) -> Tally {
    Tally { faves, weight, people }
}

/// Kind, person and item of a count.
pub(crate) type TallyKey = (CountKind, String, String);

impl Snapshot {
    /// How many counts there are.
    pub fn count_rows(&self) -> Result<u64, StoreError> {
        Ok(self.tables.tallies()?.len()?)
    }

    /// Every count, by channel and kind.
    pub fn counts(
        &self,
    ) -> Result<impl Iterator<Item = Result<CountRow, StoreError>> + '_, StoreError> {
        Ok(self.tables.tallies()?.iter()?.map(|row| {
            let (key, value) = row?;
            let (channel, kind, id, item) = key.value();
            let kind = CountKind::of(kind)?;
            let person = match kind {
                CountKind::Channel | CountKind::Item => None,
                CountKind::Person | CountKind::PersonItem => Some(self.person(channel, id)?),
            };
            let (channel, item) = (channel.to_owned(), item.to_owned());
            Ok(CountRow { channel, kind, person, item, tally: tally(value.value()) })
        }))
    }

    /// The counts of a channel.
    pub fn counts_of(&self, channel: &str) -> Result<Vec<CountRow>, StoreError> {
        let mine = |it: &Result<CountRow, _>| it.as_ref().map_or(true, |it| it.channel == channel);
        self.counts()?.filter(mine).collect()
    }

    /// Every count of a channel, by kind, person and item.
    pub fn tallies(&self, channel: &str) -> Result<Vec<(TallyKey, Tally)>, StoreError> {
        let mut tallies = Vec::new();
        for row in self.tables.tallies()?.range((channel, 0, "", "")..)? {
            let (key, value) = row?;
            let (of, kind, person, item) = key.value();
            if of != channel {
                break;
            }
            tallies.push((
                (CountKind::of(kind)?, person.to_owned(), item.to_owned()),
                tally(value.value()),
            ));
        }
        Ok(tallies)
    }

    /// The tally of all faves of a channel.
    pub fn channel_tally(&self, channel: &str) -> Result<Tally, StoreError> {
        let row = self.tables.tallies()?.get((channel, CountKind::Channel.code(), "", ""))?;
        Ok(row.map_or(Tally::default(), |row| tally(row.value())))
    }
}
