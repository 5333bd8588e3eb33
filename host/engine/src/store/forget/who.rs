//! Who is forgotten: by which ids, logins and names somebody is known, and where bytes name them.

use std::collections::BTreeSet;

use crate::contract::Person;
use crate::contract::event::{by_login, person_in};
use crate::error::StoreError;
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
    Several(Vec<Person>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn ids(people: &[Person]) -> String {
    let ids: Vec<String> = people.iter().map(|it| format!("{} ({})", it.id, it.login)).collect();
    ids.join(", ")
}

impl Identity {
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
        let is_it = |person: &Person| {
            let logged_in = person.login.eq_ignore_ascii_case(named);
            person.id == named || logged_in || person.name.eq_ignore_ascii_case(named)
        };
        let mut found: Vec<Person> = Vec::new();
        self.each_person(channel, |person| {
            if is_it(person) && !found.contains(person) {
                found.push(person.clone());
            }
        })?;
        // An id that is written as such is meant, whoever else has such a name.
        if found.iter().any(|it| it.id == named && has_own_id(it)) {
            found.retain(|it| it.id == named || !has_own_id(it));
        }
        let own: BTreeSet<&String> =
            found.iter().filter(|it| has_own_id(it)).map(|it| &it.id).collect();
        if own.len() > 1 {
            let mut several = found;
            several.retain(has_own_id);
            return Err(IdentityError::Several(several));
        }
        let mut who = Identity::default();
        found.iter().for_each(|person| who.learn(person));
        // What else the same id was called.
        let ids = who.ids.clone();
        self.each_person(channel, |person| {
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

    /// Everybody that the store knows of in a channel.
    fn each_person(&self, channel: &str, mut tell: impl FnMut(&Person)) -> Result<(), StoreError> {
        self.people_of(channel)?.iter().for_each(&mut tell);
        for (_, letter) in self.dead_letters()?.iter().filter(|(_, it)| it.channel == channel) {
            person_in(&letter.event.what).into_iter().for_each(&mut tell);
        }
        for block in self.blocks(0)? {
            for record in block?.1.iter().filter(|it| it.channel() == channel) {
                people_in(record).into_iter().for_each(&mut tell);
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
