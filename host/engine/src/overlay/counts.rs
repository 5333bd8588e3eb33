//! The counts of faves: of a channel, an item, a person, and of what a person gave an item.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Overlay;
use super::tally::Counts;
use crate::contract::{Fave, Person, Tally};
use crate::error::StoreError;
use crate::store::counts::{CountKind, TallyKey, tally};
use crate::store::record::CountChange;
use crate::store::tables::SlotKey;

impl Overlay {
    /// For what is read. What changes a count goes through [`Overlay::change_counts`].
    pub(super) fn counts_of(&mut self, channel: &Arc<str>) -> &mut Counts {
        if !self.counts.contains_key(channel) {
            self.counts.insert(Arc::clone(channel), Counts::default());
        }
        self.counts.get_mut(channel).expect("it was made if it was not there")
    }

    /// Counts are durable before anyone hears of them.
    pub(super) fn change_counts(&mut self, channel: &Arc<str>) -> &mut Counts {
        self.mark_urgent();
        self.counts_of(channel)
    }

    pub(super) fn tally(&mut self, channel: &Arc<str>, key: TallyKey) -> Result<Tally, StoreError> {
        if let Some(tally) = self.counts.get(channel).and_then(|counts| counts.tallies.get(&key)) {
            return Ok(*tally);
        }
        let row = self.snapshot.tables.tallies()?.get((
            &**channel,
            key.0.code(),
            key.1.as_str(),
            key.2.as_str(),
        ))?;
        let found = row.map_or(Tally::default(), |row| tally(row.value()));
        self.counts_of(channel).tallies.remember(key, found);
        Ok(found)
    }

    pub(crate) fn channel_tally(&mut self, slot: &SlotKey) -> Result<Tally, StoreError> {
        self.tally(&slot.channel, (CountKind::Channel, String::new(), String::new()))
    }

    pub(crate) fn item_tally(&mut self, slot: &SlotKey, item: &str) -> Result<Tally, StoreError> {
        self.tally(&slot.channel, (CountKind::Item, String::new(), item.to_owned()))
    }

    pub(crate) fn person_tally(&mut self, slot: &SlotKey, id: &str) -> Result<Tally, StoreError> {
        self.tally(&slot.channel, (CountKind::Person, id.to_owned(), String::new()))
    }

    pub(crate) fn person_item_tally(
        &mut self,
        slot: &SlotKey,
        id: &str,
        item: &str,
    ) -> Result<Tally, StoreError> {
        self.tally(&slot.channel, (CountKind::PersonItem, id.to_owned(), item.to_owned()))
    }

    /// Changes the counts as a record of the log says, but for people that are left out.
    pub(crate) fn apply(
        &mut self,
        channel: &Arc<str>,
        change: &CountChange<'_>,
        is_left_out: impl Fn(&Person) -> bool,
    ) -> Result<(), StoreError> {
        match change {
            CountChange::Faves { given, taken } => {
                // First what is added, so that no count goes below nothing on the way.
                for fave in given.iter().filter(|fave| !is_left_out(&fave.person)) {
                    self.count(channel, fave)?;
                }
                for fave in taken.iter().filter(|fave| !is_left_out(&fave.person)) {
                    self.uncount(channel, fave)?;
                }
            }
            CountChange::Imported(counts) => {
                for it in counts.iter().filter(|it| !is_left_out(&it.person)) {
                    self.add(channel, &it.person, &it.item, (it.faves, it.weight))?;
                }
            }
            CountChange::Joined(person) => drop(self.join(channel, person)?),
            CountChange::Nothing => {}
        }
        Ok(())
    }

    /// Counts a fave: four tallies, and the person's name.
    pub(crate) fn count(&mut self, channel: &Arc<str>, fave: &Fave) -> Result<(), StoreError> {
        let known = self.known_by_login(channel, &fave.person.id)?;
        self.add(channel, known.as_ref().unwrap_or(&fave.person), &fave.item, (1, fave.weight))
    }

    /// Counts so many faves of one person for one item, and the sum of their weights.
    pub(crate) fn add(
        &mut self,
        channel: &Arc<str>,
        giver: &Person,
        item: &str,
        (faves, weight): (u64, i64),
    ) -> Result<(), StoreError> {
        let (person, item) = (|| giver.id.clone(), || item.to_owned());
        // The person and the pair come first: whether they are new decides what the other two count as people.
        let keys = [
            (CountKind::Person, person(), String::new()),
            (CountKind::PersonItem, person(), item()),
            (CountKind::Channel, String::new(), String::new()),
            (CountKind::Item, String::new(), item()),
        ];
        // Somebody's first fave here is one more person of the channel; the first of an item, one more of the item.
        let mut new_here = 0;
        let mut new_pair = 0;
        for key in keys {
            let mut tally = self.tally(channel, key.clone())?;
            match key.0 {
                CountKind::Person => new_here = u32::from(tally.faves == 0),
                CountKind::PersonItem => new_pair = u32::from(tally.faves == 0),
                _ => {}
            }
            tally.faves += faves;
            tally.weight = tally.weight.saturating_add(weight);
            tally.people += if matches!(key.0, CountKind::Person | CountKind::Channel) {
                new_here
            } else {
                new_pair
            };
            self.change_counts(channel).tallies.set(key, tally);
        }
        self.name(channel, giver)
    }

    /// Takes a counted fave back: the reverse of [`Overlay::count`].
    pub(crate) fn uncount(&mut self, channel: &Arc<str>, fave: &Fave) -> Result<(), StoreError> {
        let known = self.known_by_login(channel, &fave.person.id)?;
        let id = known.map_or_else(|| fave.person.id.clone(), |it| it.id);
        self.take(channel, &id, &fave.item, (1, fave.weight))
    }

    /// Takes so many faves of one person for one item back: the reverse of [`Overlay::add`].
    pub(crate) fn take(
        &mut self,
        channel: &Arc<str>,
        id: &str,
        item: &str,
        (faves, weight): (u64, i64),
    ) -> Result<(), StoreError> {
        let (person, item) = (|| id.to_owned(), || item.to_owned());
        let pair = self.tally(channel, (CountKind::PersonItem, person(), item()))?;
        let all = self.tally(channel, (CountKind::Person, person(), String::new()))?;
        // Somebody's last fave here is one person of the channel less; the last of an item, one of the item.
        let gone = |tally: Tally| u32::from(tally.faves > 0 && tally.faves <= faves);
        let (gone_here, gone_pair) = (gone(all), gone(pair));
        let keys = [
            (CountKind::Person, person(), String::new(), gone_here),
            (CountKind::PersonItem, person(), item(), gone_pair),
            (CountKind::Channel, String::new(), String::new(), gone_here),
            (CountKind::Item, String::new(), item(), gone_pair),
        ];
        for (kind, person, item, gone) in keys {
            let key = (kind, person, item);
            let mut tally = self.tally(channel, key.clone())?;
            tally.faves = tally.faves.saturating_sub(faves);
            tally.weight = tally.weight.saturating_sub(weight);
            tally.people = tally.people.saturating_sub(gone);
            self.change_counts(channel).tallies.set(key, tally);
        }
        Ok(())
    }

    /// Sets a tally as another store had it.
    pub(crate) fn set_tally(&mut self, channel: &Arc<str>, key: TallyKey, to: Tally) {
        self.change_counts(channel).tallies.set(key, to);
    }

    /// Sets a person's names as another store had them.
    pub(crate) fn set_names(&mut self, channel: &Arc<str>, id: String, names: (String, String)) {
        self.change_counts(channel).names.set(id, Some(names));
    }

    /// Keeps the person's name, unless it is the one that is kept.
    fn name(&mut self, channel: &Arc<str>, person: &Person) -> Result<(), StoreError> {
        let same = |(login, name): (&str, &str)| login == person.login && name == person.name;
        let known = self.counts.get(channel).and_then(|counts| counts.names.get(&person.id));
        let is_kept = match known {
            Some(names) => names.as_ref().is_some_and(|(login, name)| same((login, name))),
            None => {
                let row = self.snapshot.tables.people()?.get((&**channel, person.id.as_str()))?;
                row.is_some_and(|row| same(row.value()))
            }
        };
        let names = Some((person.login.clone(), person.name.clone()));
        let counts = self.change_counts(channel);
        match (is_kept, counts.names.get(&person.id).is_some()) {
            (true, true) => {}
            (true, false) => counts.names.remember(person.id.clone(), names),
            (false, _) => counts.names.set(person.id.clone(), names),
        }
        Ok(())
    }

    /// The greatest items, and how many rows it took to find them; none when that were more than `budget`.
    pub(crate) fn top_items(
        &self,
        slot: &SlotKey,
        limit: usize,
        budget: usize,
    ) -> Result<Option<(Vec<(String, Tally)>, usize)>, StoreError> {
        let Some((top, rows)) = self.top(&slot.channel, CountKind::Item, limit, budget)? else {
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
        let Some((top, rows)) = self.top(&slot.channel, CountKind::Person, limit, budget)? else {
            return Ok(None);
        };
        // Each name is a row of its own.
        let rows = rows + top.len();
        if rows > budget {
            return Ok(None);
        }
        let named =
            top.into_iter().map(|((id, _), tally)| Ok((self.person(&slot.channel, id)?, tally)));
        Ok(Some((named.collect::<Result<_, StoreError>>()?, rows)))
    }

    fn top(
        &self,
        channel: &Arc<str>,
        kind: CountKind,
        limit: usize,
        budget: usize,
    ) -> Result<Option<(Vec<RankedTally>, usize)>, StoreError> {
        let nothing = BTreeMap::new();
        let changes = self.counts.get(channel).map_or(&nothing, |counts| counts.tallies.changes());
        let mut top = Top { limit, best: Vec::new(), rows: 0 };
        let first = (kind, String::new(), String::new());
        for ((_, person, item), tally) in
            changes.range(first..).take_while(|((this, ..), _)| *this == kind)
        {
            if top.rows >= budget {
                return Ok(None);
            }
            top.add(((person.clone(), item.clone()), *tally));
        }
        for row in self.snapshot.tables.tallies()?.range((&**channel, kind.code(), "", "")..)? {
            let (key, value) = row?;
            let (here, this, person, item) = key.value();
            if here != &**channel || this != kind.code() {
                break;
            }
            if top.rows >= budget {
                return Ok(None);
            }
            let key = (kind, person.to_owned(), item.to_owned());
            if !changes.contains_key(&key) {
                top.add(((key.1, key.2), tally(value.value())));
            }
        }
        Ok(Some(top.end()))
    }

    fn person(&self, channel: &Arc<str>, id: String) -> Result<Person, StoreError> {
        let known = self.counts.get(channel).and_then(|counts| counts.names.get(&id));
        let (login, name) = match known {
            Some(Some(names)) => names.clone(),
            Some(None) => (id.clone(), id.clone()),
            None => match self.snapshot.tables.people()?.get((&**channel, id.as_str()))? {
                Some(row) => (row.value().0.to_owned(), row.value().1.to_owned()),
                None => (id.clone(), id.clone()),
            },
        };
        Ok(Person { id, login, name })
    }
}

/// Person and item, with their tally.
type RankedTally = ((String, String), Tally);

/// The greatest of many, in the memory of a few.
struct Top {
    limit: usize,
    best: Vec<RankedTally>,
    rows: usize,
}

impl Top {
    fn add(&mut self, named: RankedTally) {
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

    fn end(mut self) -> (Vec<RankedTally>, usize) {
        self.cut();
        (self.best, self.rows)
    }
}
