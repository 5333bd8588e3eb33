//! The counts of faves: of a channel, an item, a person, and of what a person gave an item.

use std::sync::Arc;

use super::Overlay;
use crate::contract::{Fave, Person, Tally};
use crate::error::StoreError;
use crate::tables::{CHANNEL, SlotKey, tally};

/// Kinds of count, the second part of a tally's key; `CHANNEL` is the first.
const ITEM: u8 = 1;
const PERSON: u8 = 2;
const PERSON_ITEM: u8 = 3;

impl Overlay {
    fn tally(
        &self,
        channel: &Arc<str>,
        kind: u8,
        person: &str,
        item: &str,
    ) -> Result<Tally, StoreError> {
        if let Some(tally) =
            self.tallies.get(&(Arc::clone(channel), kind, person.to_owned(), item.to_owned()))
        {
            return Ok(*tally);
        }
        let row = self.snapshot.tallies.get((&**channel, kind, person, item))?;
        Ok(row.map_or(Tally::default(), |row| tally(row.value())))
    }

    pub(crate) fn channel_tally(&self, slot: &SlotKey) -> Result<Tally, StoreError> {
        self.tally(&slot.channel, CHANNEL, "", "")
    }

    pub(crate) fn item_tally(&self, slot: &SlotKey, item: &str) -> Result<Tally, StoreError> {
        self.tally(&slot.channel, ITEM, "", item)
    }

    pub(crate) fn person_tally(&self, slot: &SlotKey, person: &str) -> Result<Tally, StoreError> {
        self.tally(&slot.channel, PERSON, person, "")
    }

    pub(crate) fn person_item_tally(
        &self,
        slot: &SlotKey,
        person: &str,
        item: &str,
    ) -> Result<Tally, StoreError> {
        self.tally(&slot.channel, PERSON_ITEM, person, item)
    }

    /// Counts a fave: four tallies, and the person's name.
    pub(crate) fn count(&mut self, channel: &Arc<str>, fave: &Fave) -> Result<(), StoreError> {
        let (person, item) = (fave.person.id.as_str(), fave.item.as_str());
        let new_here = u32::from(self.tally(channel, PERSON, person, "")?.faves == 0);
        let new_pair = u32::from(self.tally(channel, PERSON_ITEM, person, item)?.faves == 0);
        self.add(channel, (CHANNEL, "", ""), fave.weight, new_here)?;
        self.add(channel, (ITEM, "", item), fave.weight, new_pair)?;
        self.add(channel, (PERSON, person, ""), fave.weight, new_here)?;
        self.add(channel, (PERSON_ITEM, person, item), fave.weight, new_pair)?;
        let name = (fave.person.login.clone(), fave.person.name.clone());
        self.people.insert((Arc::clone(channel), person.to_owned()), name);
        Ok(())
    }

    fn add(
        &mut self,
        channel: &Arc<str>,
        (kind, person, item): (u8, &str, &str),
        weight: i64,
        people: u32,
    ) -> Result<(), StoreError> {
        let mut tally = self.tally(channel, kind, person, item)?;
        tally.faves += 1;
        tally.weight = tally.weight.saturating_add(weight);
        tally.people += people;
        self.tallies.insert((Arc::clone(channel), kind, person.to_owned(), item.to_owned()), tally);
        Ok(())
    }

    /// The greatest items, and how many rows it took to find them; none when that were more than `budget`.
    pub(crate) fn top_items(
        &self,
        slot: &SlotKey,
        limit: usize,
        budget: usize,
    ) -> Result<Option<(Vec<(String, Tally)>, usize)>, StoreError> {
        let Some((top, rows)) = self.top(&slot.channel, ITEM, limit, budget)? else {
            return Ok(None);
        };
        Ok(Some((top.into_iter().map(|((_, item), tally)| (item, tally)).collect(), rows)))
    }

    /// The greatest people, and how many rows it took to find them; none when that were more than `budget`.
    pub(crate) fn top_people(
        &self,
        slot: &SlotKey,
        limit: usize,
        budget: usize,
    ) -> Result<Option<(Vec<(Person, Tally)>, usize)>, StoreError> {
        let Some((top, rows)) = self.top(&slot.channel, PERSON, limit, budget)? else {
            return Ok(None);
        };
        let named =
            top.into_iter().map(|((id, _), tally)| Ok((self.person(&slot.channel, id)?, tally)));
        Ok(Some((named.collect::<Result<_, StoreError>>()?, rows)))
    }

    fn top(
        &self,
        channel: &Arc<str>,
        kind: u8,
        limit: usize,
        budget: usize,
    ) -> Result<Option<(Vec<Named>, usize)>, StoreError> {
        let first = (Arc::clone(channel), kind, String::new(), String::new());
        let changed = self.tallies.range(first..);
        let mut top = Top { limit, best: Vec::new(), rows: 0 };
        for ((_, _, person, item), tally) in
            changed.take_while(|((here, this, ..), _)| here == channel && *this == kind)
        {
            top.add(((person.clone(), item.clone()), *tally));
        }
        for row in self.snapshot.tallies.range((&**channel, kind, "", "")..)? {
            let (key, value) = row?;
            let (here, this, person, item) = key.value();
            if here != &**channel || this != kind {
                break;
            }
            if top.rows >= budget {
                return Ok(None);
            }
            let key = (Arc::clone(channel), kind, person.to_owned(), item.to_owned());
            if !self.tallies.contains_key(&key) {
                top.add(((key.2, key.3), tally(value.value())));
            }
        }
        Ok(Some(top.end()))
    }

    fn person(&self, channel: &Arc<str>, id: String) -> Result<Person, StoreError> {
        let (login, name) = match self.people.get(&(Arc::clone(channel), id.clone())) {
            Some(names) => names.clone(),
            None => match self.snapshot.people.get((&**channel, id.as_str()))? {
                Some(row) => (row.value().0.to_owned(), row.value().1.to_owned()),
                None => (id.clone(), id.clone()),
            },
        };
        Ok(Person { id, login, name })
    }
}

/// Person and item, with their tally.
type Named = ((String, String), Tally);

/// The greatest of many, in the memory of a few.
struct Top {
    limit: usize,
    best: Vec<Named>,
    rows: usize,
}

impl Top {
    fn add(&mut self, named: Named) {
        self.rows += 1;
        self.best.push(named);
        if self.best.len() > 256 + 2 * self.limit.min(10_000) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.best.sort_by(|(name, one), (other, two)| {
            two.weight.cmp(&one.weight).then_with(|| name.cmp(other))
        });
        self.best.truncate(self.limit.min(10_000));
    }

    fn end(mut self) -> (Vec<Named>, usize) {
        self.cut();
        (self.best, self.rows)
    }
}
