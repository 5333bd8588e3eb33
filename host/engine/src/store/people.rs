//! Who is and was known in a channel by which names, what they have given, and from which imports.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use redb::ReadableTable;

use crate::contract::{Person, Tally};
use crate::error::StoreError;
use crate::store::counts::{CountKind, tally};
use crate::store::snapshot::Snapshot;

impl Snapshot {
    /// Everybody whose name is kept in a channel.
    pub(crate) fn people_of(&self, channel: &str) -> Result<Vec<Person>, StoreError> {
        let mut people = Vec::new();
        for row in self.tables.people()?.range((channel, "")..)? {
            let (key, names) = row?;
            let ((of, id), (login, name)) = (key.value(), names.value());
            if of != channel {
                break;
            }
            people.push(Person { id: id.into(), login: login.into(), name: name.into() });
        }
        Ok(people)
    }

    /// What people of a channel were called before, and until when another login was first seen, in milliseconds since 1970.
    pub(crate) fn former_names(&self, channel: &str) -> Result<Vec<(Person, u64)>, StoreError> {
        let mut former = Vec::new();
        for row in self.tables.former_names()?.range((channel, "", 0)..)? {
            let (key, names) = row?;
            let ((of, id, until), (login, name)) = (key.value(), names.value());
            if of != channel {
                break;
            }
            former.push((Person { id: id.into(), login: login.into(), name: name.into() }, until));
        }
        Ok(former)
    }

    /// Who is known by which login, with an id of Twitch.
    pub fn logins(&self, channel: &str) -> Result<HashMap<String, Person>, StoreError> {
        let people = self.people_of(channel)?.into_iter();
        let known = people.filter(|it| it.id != it.login && !it.id.starts_with('@'));
        Ok(known.map(|it| (it.login.clone(), it)).collect())
    }

    /// The logins that an import knows without an id, by channel.
    pub(crate) fn awaited(&self) -> Result<HashMap<Arc<str>, HashSet<String>>, StoreError> {
        let mut awaited: HashMap<Arc<str>, HashSet<String>> = HashMap::new();
        for row in self.tables.people()?.iter()? {
            let (key, _) = row?;
            let (channel, id) = key.value();
            if let Some(login) = id.strip_prefix('@') {
                awaited.entry(channel.into()).or_default().insert(login.to_owned());
            }
        }
        Ok(awaited)
    }

    /// What a person gave to each item.
    pub(crate) fn items_of(
        &self,
        channel: &str,
        id: &str,
    ) -> Result<BTreeMap<String, Tally>, StoreError> {
        let mut items = BTreeMap::new();
        for row in
            self.tables.tallies()?.range((channel, CountKind::PersonItem.code(), id, "")..)?
        {
            let (key, value) = row?;
            let (of, kind, person, item) = key.value();
            if of != channel || kind != CountKind::PersonItem.code() || person != id {
                break;
            }
            items.insert(item.to_owned(), tally(value.value()));
        }
        Ok(items)
    }

    /// By what exports name this store; none while it was not named.
    pub fn identity(&self) -> Result<Option<u64>, StoreError> {
        Ok(Some(self.meta("identity")?).filter(|identity| *identity != 0))
    }

    /// From where imports have brought counts.
    pub fn sources(&self) -> Result<Vec<String>, StoreError> {
        let mut sources: Vec<String> = Vec::new();
        let mut from = (String::new(), String::new());
        // From one source of a channel to the next, over all the rows between.
        while let Some(row) =
            self.tables.imported()?.range((from.0.as_str(), from.1.as_str(), "", "")..)?.next()
        {
            let (key, _) = row?;
            let (channel, source, ..) = key.value();
            sources.push(source.to_owned());
            from = (channel.to_owned(), format!("{source}\0"));
        }
        sources.sort();
        sources.dedup();
        Ok(sources)
    }

    /// Why counts of this source, which has counts of others in it, would count something twice.
    pub fn conflict(
        &self,
        channel: &str,
        source: &str,
        includes: &[String],
    ) -> Result<Option<String>, StoreError> {
        let own = self.identity()?.map(identity_name);
        if own.is_some_and(|own| includes.contains(&own)) {
            let problem = "some of its counts were exported from this heatd, and would count twice";
            return Ok(Some(problem.to_owned()));
        }
        for (id, item) in self.imported_from(channel, source)? {
            if id.is_empty() && item != source {
                let problem = format!(
                    "its counts came along with those of {item} already, and would count twice"
                );
                return Ok(Some(problem));
            }
        }
        for included in includes.iter().filter(|it| *it != source) {
            for (id, item) in self.imported_from(channel, included)? {
                if !id.is_empty() || item != source {
                    let problem = format!(
                        "it has counts of {included}, which are here already, and would count twice"
                    );
                    return Ok(Some(problem));
                }
            }
        }
        Ok(None)
    }

    /// The first rows of a source, by person's id and item: those without a person come first.
    fn imported_from(
        &self,
        channel: &str,
        source: &str,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let mut rows = Vec::new();
        for row in self.tables.imported()?.range((channel, source, "", "")..)? {
            let (key, _) = row?;
            let (of, from, id, item) = key.value();
            if of != channel || from != source {
                break;
            }
            rows.push((id.to_owned(), item.to_owned()));
            if !id.is_empty() {
                break;
            }
        }
        Ok(rows)
    }

    /// Somebody by id, with the names as last seen.
    pub(crate) fn person(&self, channel: &str, id: &str) -> Result<Person, StoreError> {
        let names = self.tables.people()?.get((channel, id))?;
        let (login, name) = match &names {
            Some(names) => names.value(),
            None => (id, id),
        };
        Ok(Person { id: id.to_owned(), login: login.to_owned(), name: name.to_owned() })
    }
}

/// How the name of a store is written.
pub(crate) fn identity_name(identity: u64) -> String {
    format!("{identity:016x}")
}
