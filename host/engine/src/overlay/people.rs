//! Counts that come from elsewhere, go to somebody else, or go for good.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Overlay;
use crate::contract::event::by_login;
use crate::contract::{Person, Tally};
use crate::error::StoreError;
use crate::store::counts::CountKind;

impl Overlay {
    /// What a person gave to each item.
    pub(crate) fn items_of(
        &self,
        channel: &str,
        id: &str,
    ) -> Result<BTreeMap<String, Tally>, StoreError> {
        let mut items = self.snapshot().items_of(channel, id)?;
        if let Some(counts) = self.counts.get(channel) {
            let first = (CountKind::PersonItem, id.to_owned(), String::new());
            let mine = counts.tallies.changes().range(first..);
            for ((_, _, item), tally) in mine
                .take_while(|((kind, person, _), _)| *kind == CountKind::PersonItem && person == id)
            {
                items.insert(item.clone(), *tally);
            }
        }
        items.retain(|_, tally| *tally != Tally::default());
        Ok(items)
    }

    /// Removes a person from the counts, and says what went.
    pub(crate) fn remove_person(
        &mut self,
        channel: &Arc<str>,
        id: &str,
    ) -> Result<BTreeMap<String, Tally>, StoreError> {
        let items = self.items_of(channel, id)?;
        for (item, tally) in &items {
            self.take(channel, id, item, (tally.faves, tally.weight))?;
        }
        let counts = self.change_counts(channel);
        counts.names.set(id.to_owned(), None);
        counts.tallies.set((CountKind::Person, id.to_owned(), String::new()), Tally::default());
        Ok(items)
    }

    /// What is counted for a login, as an import has it, is this person's from here on. False: there is nothing.
    pub(crate) fn join(&mut self, channel: &Arc<str>, person: &Person) -> Result<bool, StoreError> {
        let items = self.remove_person(channel, &by_login(&person.login))?;
        for (item, tally) in &items {
            self.add(channel, person, item, (tally.faves, tally.weight))?;
        }
        Ok(!items.is_empty())
    }

    /// Whoever is known in a channel by the login that an id of the form `@login` names: with an id of Twitch, or else as another source names people, by
    /// login alone. None for another id, or when nobody is.
    pub(crate) fn known_by_login(
        &self,
        channel: &str,
        id: &str,
    ) -> Result<Option<Person>, StoreError> {
        let Some(login) = id.strip_prefix('@') else { return Ok(None) };
        let mut people: BTreeMap<String, Option<(String, String)>> = BTreeMap::new();
        for it in self.snapshot().people_of(channel)? {
            people.insert(it.id, Some((it.login, it.name)));
        }
        if let Some(counts) = self.counts.get(channel) {
            people.extend(counts.names.changes().clone());
        }
        let named = people.into_iter().filter_map(|(id, names)| {
            let (of, name) = names?;
            (of == login && !id.starts_with('@')).then_some(Person { id, login: of, name })
        });
        Ok(named.max_by_key(|it| it.id != it.login))
    }

    /// What a person gave an item: faves, and the sum of their weights.
    pub(crate) fn given(
        &mut self,
        channel: &Arc<str>,
        id: &str,
        item: &str,
    ) -> Result<(u64, i64), StoreError> {
        let tally = self.tally(channel, (CountKind::PersonItem, id.to_owned(), item.to_owned()))?;
        Ok((tally.faves, tally.weight))
    }

    /// What an import from this source has brought of a person for an item.
    pub(crate) fn imported(
        &self,
        (channel, source, person, item): (&Arc<str>, &str, &str, &str),
    ) -> Result<(u64, i64), StoreError> {
        let key = (Arc::clone(channel), source.to_owned(), person.to_owned(), item.to_owned());
        if let Some(row) = self.imported.get(&key) {
            return Ok(*row);
        }
        let row = self.snapshot.tables.imported()?.get((&**channel, source, person, item))?;
        Ok(row.map_or((0, 0), |row| row.value()))
    }

    /// Notes what an import has brought, as its file has it.
    pub(crate) fn set_imported(
        &mut self,
        (channel, source, person, item): (&Arc<str>, &str, &str, &str),
        row: (u64, i64),
    ) {
        let key = (Arc::clone(channel), source.to_owned(), person.to_owned(), item.to_owned());
        self.imported.insert(key, row);
        self.dirty = true;
    }
}
