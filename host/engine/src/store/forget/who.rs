//! Who is forgotten: by which ids, logins and names somebody is known, and where bytes name them.

use std::collections::{BTreeMap, BTreeSet};

use redb::ReadableTable;

use crate::contract::Person;
use crate::contract::event::{ORDER_ID, by_login, person_in};
use crate::error::StoreError;
use crate::store::log::{Block, unpack};
use crate::store::raw_filter::RawFilter;
use crate::store::record::Record;
use crate::store::snapshot::Snapshot;

/// Somebody, by all ids, logins and names under which a channel knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    ids: BTreeSet<String>,
    logins: BTreeSet<String>,
    names: BTreeSet<String>,
}

/// Why somebody cannot be looked up.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Several people have been called so.
    #[error("several people were called so; say the id: {}", ids(.0))]
    Several(Vec<Namesake>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One of several people who were called the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namesake {
    /// Twitch's id.
    pub id: String,
    /// Every login that they had.
    pub logins: BTreeSet<String>,
    /// When they were first and last heard of, in milliseconds since 1970; none when the log does not know.
    pub seen: Option<(u64, u64)>,
}

fn ids(people: &[Namesake]) -> String {
    let logins = |it: &Namesake| it.logins.iter().cloned().collect::<Vec<_>>().join(", ");
    let ids: Vec<String> = people.iter().map(|it| format!("{} ({})", it.id, logins(it))).collect();
    ids.join(", ")
}

/// Whether a person is called so: by id, login or name. Who gave orders by a token of the API has its name and is no person of that name.
fn is_called(person: &Person, named: &str) -> bool {
    let is_token = person.id.starts_with(ORDER_ID);
    let logged_in = person.login.eq_ignore_ascii_case(named);
    person.id == named || (!is_token && (logged_in || person.name.eq_ignore_ascii_case(named)))
}

/// Those of several people of one name who are meant: one person of Twitch, and whoever is known by the login alone. None: there are more.
fn meant(mut found: Vec<Person>, named: &str) -> Option<Vec<Person>> {
    // An id that is written as such is meant, whoever else has such a name.
    if found.iter().any(|it| it.id == named && has_own_id(it)) {
        found.retain(|it| it.id == named || !has_own_id(it));
    }
    (own_ids(&found).len() <= 1).then_some(found)
}

fn own_ids(found: &[Person]) -> BTreeSet<&str> {
    found.iter().filter(|it| has_own_id(it)).map(|it| it.id.as_str()).collect()
}

impl Identity {
    /// Whoever has one of these ids. Logins and names are not known.
    pub fn of_ids(ids: impl IntoIterator<Item = String>) -> Self {
        Self { ids: ids.into_iter().collect(), ..Self::default() }
    }

    /// Every id, with those that stand for a login.
    pub fn ids(&self) -> impl Iterator<Item = &String> {
        self.ids.iter()
    }

    /// Every login.
    pub fn logins(&self) -> impl Iterator<Item = &String> {
        self.logins.iter()
    }

    /// Whether this is them.
    pub fn is(&self, person: &Person) -> bool {
        self.ids.contains(&person.id)
    }

    /// Whether a login is theirs.
    pub(crate) fn has_login(&self, login: &str) -> bool {
        self.logins.iter().any(|it| it.eq_ignore_ascii_case(login))
    }

    /// Whether a text names them, as a word of its own.
    pub fn is_named_in(&self, text: &str) -> bool {
        self.words().any(|word| finds(text.as_bytes(), word, false))
    }

    /// Whether a key of a rule's state is about them.
    pub(crate) fn is_named_in_key(&self, key: &str) -> bool {
        self.is_named_in(key)
    }

    /// Whether a value of a rule's state names them. Whatever it is made of: texts in it stand alone, or behind their length.
    pub(crate) fn is_named_in_bytes(&self, value: &[u8]) -> bool {
        self.words().any(|word| finds(value, word, true))
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let ids = self.ids.iter().filter(|id| !id.starts_with('@'));
        ids.chain(&self.logins).chain(&self.names).map(String::as_str).filter(|it| !it.is_empty())
    }

    fn learn(&mut self, person: &Person) {
        self.ids.insert(person.id.clone());
        self.logins.insert(person.login.clone());
        self.names.insert(person.name.clone());
    }
}

/// Whether a word stands in the text, and is not a part of another one; the case of letters says nothing.
fn finds(text: &[u8], word: &str, binary: bool) -> bool {
    let word = word.as_bytes();
    let is_part =
        |byte: Option<&u8>| byte.is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_');
    let length = u32::try_from(word.len()).unwrap_or(u32::MAX).to_le_bytes();
    text.windows(word.len()).enumerate().any(|(place, window)| {
        if !window.eq_ignore_ascii_case(word) {
            return false;
        }
        let (before, after) = (&text[..place], &text[place + word.len()..]);
        let alone = !is_part(before.last()) && !is_part(after.first());
        // A text that stands behind its length may have anything behind it.
        let counted = binary && (before.ends_with(&length) || before.last() == Some(&length[0]));
        alone || counted
    })
}

/// Every person that a record speaks of.
pub(crate) fn people_in(record: &Record) -> Vec<&Person> {
    match record {
        Record::Event { event, .. } | Record::Retried { event, .. } => {
            person_in(&event.what).into_iter().collect()
        }
        Record::Faves { faves, .. } => faves.iter().map(|it| &it.fave.person).collect(),
        Record::Undone { taken, given, .. } => {
            taken.iter().chain(given).map(|fave| &fave.person).collect()
        }
        Record::Imported { counts, .. } => counts.iter().map(|it| &it.person).collect(),
        Record::Joined { person, .. } => vec![person],
        _ => Vec::new(),
    }
}

impl Snapshot {
    /// Looks somebody up by id, login or name.
    ///
    /// The log is read whole: not for the engine's thread.
    pub fn identify(&self, channel: &str, named: &str) -> Result<Identity, IdentityError> {
        let mut found: Vec<Person> = Vec::new();
        let blocks = RawFilter::words([named].into_iter());
        self.each_person(channel, &blocks, |person, _| {
            if is_called(person, named) && !found.contains(person) {
                found.push(person.clone());
            }
        })?;
        let Some(found) = meant(found.clone(), named) else {
            return Err(IdentityError::Several(self.namesakes(channel, &own_ids(&found))?));
        };
        let mut who = Identity::default();
        found.iter().for_each(|person| who.learn(person));
        // What else the same id was called.
        let ids = who.ids.clone();
        if ids.is_empty() {
            return Ok(who);
        }
        let blocks = RawFilter::words(ids.iter().map(String::as_str));
        self.each_person(channel, &blocks, |person, _| {
            if ids.contains(&person.id) {
                who.learn(person);
            }
        })?;
        // Where only the login is known, the login stands for the id.
        for login in &who.logins {
            who.ids.extend([login.clone(), by_login(login)]);
        }
        Ok(who)
    }

    /// Ids of whoever is called so in these records of a channel, under any login; or else in everything that the store knows. A name that
    /// somebody else had at another time does not count where somebody has it now.
    pub(crate) fn who_is_meant(
        &self,
        channel: &str,
        named: &str,
        records: &[Record],
    ) -> Result<BTreeSet<String>, IdentityError> {
        let mut found: Vec<Person> = Vec::new();
        for person in records.iter().flat_map(people_in) {
            if is_called(person, named) && !found.contains(person) {
                found.push(person.clone());
            }
        }
        if found.is_empty() {
            return Ok(self.identify(channel, named)?.ids);
        }
        match meant(found.clone(), named) {
            Some(found) => Ok(found.into_iter().map(|it| it.id).collect()),
            None => Err(IdentityError::Several(self.namesakes(channel, &own_ids(&found))?)),
        }
    }

    /// What these ids were called in a channel, and when.
    fn namesakes(&self, channel: &str, ids: &BTreeSet<&str>) -> Result<Vec<Namesake>, StoreError> {
        let mut found: BTreeMap<String, Namesake> = BTreeMap::new();
        let blocks = RawFilter::words(ids.iter().copied());
        self.each_person(channel, &blocks, |person, at| {
            if !ids.contains(person.id.as_str()) {
                return;
            }
            let it = found.entry(person.id.clone()).or_insert_with(|| Namesake {
                id: person.id.clone(),
                logins: BTreeSet::new(),
                seen: None,
            });
            it.logins.insert(person.login.clone());
            it.seen = match (it.seen, at) {
                (Some((first, last)), Some(at)) => Some((first.min(at), last.max(at))),
                (seen, at) => seen.or(at.map(|at| (at, at))),
            };
        })?;
        Ok(found.into_values().collect())
    }

    /// Everybody that the store knows of in a channel, with the time where the log has it. Of the log only these blocks are read.
    fn each_person(
        &self,
        channel: &str,
        blocks: &RawFilter,
        mut tell: impl FnMut(&Person, Option<u64>),
    ) -> Result<(), StoreError> {
        self.people_of(channel)?.iter().for_each(|person| tell(person, None));
        self.former_names(channel)?.iter().for_each(|(person, until)| tell(person, Some(*until)));
        for (_, letter) in self.dead_letters()?.iter().filter(|(_, it)| it.channel == channel) {
            person_in(&letter.event.what).into_iter().for_each(|person| tell(person, None));
        }
        for row in self.tables.log()?.iter()? {
            let bytes = unpack(row?.1.value().3)?;
            if !blocks.may_have(&bytes) {
                continue;
            }
            for record in
                Block::decode_unpacked(&bytes)?.iter().filter(|it| it.channel() == channel)
            {
                people_in(record).into_iter().for_each(|person| tell(person, Some(record.at())));
            }
        }
        Ok(())
    }
}

/// Whether somebody has an id of Twitch.
fn has_own_id(person: &Person) -> bool {
    person.id != person.login && !person.id.starts_with('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_a_word_and_behind_its_length_and_not_in_other_words() {
        let mut who = Identity::default();
        who.learn(&Person { id: "7".into(), login: "ann".into(), name: "Änn".into() });
        for text in ["ann", "hi @ANN!", "first/ann", "by:7", "Änn: pie", "x,ann,y"] {
            assert!(who.is_named_in(text), "{text}");
        }
        for text in ["", "channel", "anna", "ann_b", "77", "1770"] {
            assert!(!who.is_named_in(text), "{text}");
        }
        let behind_its_length = [&3u32.to_le_bytes()[..], b"annX"].concat();
        assert!(who.is_named_in_bytes(&behind_its_length));
        assert!(!who.is_named_in_bytes(b"channel"));
    }
}
