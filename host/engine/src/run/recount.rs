//! Every count as a row that can be told elsewhere, and the log counted again.

use std::sync::Arc;

use redb::ReadableTable;

use crate::contract::{Person, Tally};
use crate::error::StoreError;
use crate::overlay::Overlay;
use crate::overlay::counts::{ITEM, PERSON, PERSON_ITEM};
use crate::store::Store;
use crate::store::log::Record;
use crate::store::tables::{CHANNEL, Snapshot, tally};

/// What a count is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
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
pub struct Counted {
    /// Login of the channel.
    pub channel: String,
    /// What it is of.
    pub kind: Kind,
    /// Whose faves, with the names as last seen; none for a count of a channel or an item.
    pub person: Option<Person>,
    /// For what; empty for a count of a channel or a person, and for "this moment".
    pub item: String,
    /// How many, and what they weigh.
    pub tally: Tally,
}

impl Snapshot {
    /// How many counts there are.
    pub fn count_rows(&self) -> Result<u64, StoreError> {
        Ok(redb::ReadableTableMetadata::len(&self.tallies)?)
    }

    /// Every count, by channel and kind.
    pub fn counts(
        &self,
    ) -> Result<impl Iterator<Item = Result<Counted, StoreError>> + '_, StoreError> {
        Ok(self.tallies.iter()?.map(|row| {
            let (key, value) = row?;
            let (channel, kind, id, item) = key.value();
            let kind = match kind {
                CHANNEL => Kind::Channel,
                ITEM => Kind::Item,
                PERSON => Kind::Person,
                PERSON_ITEM => Kind::PersonItem,
                other => {
                    let problem = format!("there is no kind {other} of counts");
                    return Err(StoreError::Damaged { what: "count", problem });
                }
            };
            let person = match kind {
                Kind::Channel | Kind::Item => None,
                Kind::Person | Kind::PersonItem => Some(self.person(channel, id)?),
            };
            let (channel, item) = (channel.to_owned(), item.to_owned());
            Ok(Counted { channel, kind, person, item, tally: tally(value.value()) })
        }))
    }

    /// Somebody by id, with the names as last seen.
    pub(crate) fn person(&self, channel: &str, id: &str) -> Result<Person, StoreError> {
        let names = self.people.get((channel, id))?;
        let (login, name) = match &names {
            Some(names) => names.value(),
            None => (id, id),
        };
        Ok(Person { id: id.to_owned(), login: login.to_owned(), name: name.to_owned() })
    }

    /// The counts of a channel as the log alone makes them. They are those of the store, if the log is whole.
    pub fn recount(&self, channel: &str) -> Result<Vec<Counted>, StoreError> {
        let store = Store::in_memory()?;
        let mut overlay = Overlay::new(store.snapshot()?)?;
        let name: Arc<str> = channel.into();
        for block in self.blocks(0)? {
            for record in block?.1.into_iter().filter(|it| it.channel() == channel) {
                reckon(&mut overlay, &name, record)?;
            }
        }
        store.commit(&overlay, &[], None)?;
        store.snapshot()?.counts()?.collect()
    }

    /// The counts of a channel.
    pub fn counts_of(&self, channel: &str) -> Result<Vec<Counted>, StoreError> {
        let mine = |it: &Result<Counted, _>| it.as_ref().map_or(true, |it| it.channel == channel);
        self.counts()?.filter(mine).collect()
    }
}

/// What a record changes in the counts.
fn reckon(overlay: &mut Overlay, channel: &Arc<str>, record: Record) -> Result<(), StoreError> {
    match record {
        Record::Faves { faves, .. } => {
            faves.iter().try_for_each(|it| overlay.count(channel, &it.fave))?;
        }
        Record::Undone { taken, given, .. } => {
            given.iter().try_for_each(|fave| overlay.count(channel, fave))?;
            taken.iter().try_for_each(|fave| overlay.uncount(channel, fave))?;
        }
        Record::Imported { counts, .. } => {
            for it in counts {
                overlay.add(channel, &it.person, &it.item, (it.faves, it.weight))?;
            }
        }
        Record::Joined { person, .. } => drop(overlay.join(channel, &person)?),
        _ => {}
    }
    Ok(())
}
