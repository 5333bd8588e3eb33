//! What the log has of one person: by which names, since when, how often.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::event::{kind_of, person_in};
use crate::error::StoreError;
use crate::store::forget::who::Identity;
use crate::store::history::{FoundKind, HistoryQuery};
use crate::store::snapshot::Snapshot;

/// A day in milliseconds.
const DAY: u64 = 86_400_000;

/// What is known of one person in one channel, as far back as the log goes.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct PersonHistory {
    /// Each login with a name, and when it was first and last seen, in milliseconds since 1970; none where only the counts know it.
    pub names: Vec<NameSeen>,
    /// The first and last time, in milliseconds since 1970. None: the log has nothing of them.
    pub seen: Option<(u64, u64)>,
    /// Events by kind, as [`crate::kind_of`] names them.
    pub events: BTreeMap<String, u64>,
    /// On how many days, by UTC.
    pub days: u64,
    /// The first line that they wrote, as far as the log goes back.
    pub first_line: Option<(u64, String)>,
}

/// A login that somebody had.
#[derive(Debug, Clone, PartialEq)]
pub struct NameSeen {
    /// The login.
    pub login: String,
    /// The name, as last written.
    pub name: String,
    /// First and last seen with it, in milliseconds since 1970.
    pub seen: Option<(u64, u64)>,
}

impl Snapshot {
    /// All of the log is read, so this is not for the engine's thread.
    pub fn person_history(
        &self,
        channel: &str,
        who: &Identity,
    ) -> Result<PersonHistory, StoreError> {
        let mut known = PersonHistory::default();
        let mut days = BTreeSet::new();
        let mut query = HistoryQuery {
            channels: BTreeSet::from([channel.to_owned()]),
            who: Some(who.clone()),
            oldest_first: true,
            ..HistoryQuery::default()
        };
        loop {
            let page = self.history(&query, usize::MAX, || false)?;
            for found in page.found {
                let FoundKind::Event(event) = found.what else { continue };
                let Some(person) = person_in(&event.what) else { continue };
                days.insert(found.at / DAY);
                known.see(found.at);
                known.see_name(&person.login, &person.name, Some(found.at));
                *known.events.entry(kind_of(&event).to_owned()).or_default() += 1;
                if let crate::contract::Happening::Chat(line) = &event.what {
                    known.first_line.get_or_insert_with(|| (found.at, line.text.clone()));
                }
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        known.days = days.len() as u64;
        let former = self.former_names(channel)?;
        for (person, until) in former.iter().filter(|(person, _)| who.is(person)) {
            known.see_name(&person.login, &person.name, Some(*until));
        }
        for person in self.people_of(channel)?.iter().filter(|person| who.is(person)) {
            known.see_name(&person.login, &person.name, None);
        }
        known.names.sort_by_key(|it| it.seen.map_or(u64::MAX, |(_, last)| last));
        Ok(known)
    }
}

impl PersonHistory {
    fn see(&mut self, at: u64) {
        let (first, last) = self.seen.unwrap_or((at, at));
        self.seen = Some((first.min(at), last.max(at)));
    }

    fn see_name(&mut self, login: &str, name: &str, at: Option<u64>) {
        let Some(known) = self.names.iter_mut().find(|it| it.login == login) else {
            let seen = at.map(|at| (at, at));
            self.names.push(NameSeen { login: login.to_owned(), name: name.to_owned(), seen });
            return;
        };
        name.clone_into(&mut known.name);
        if let Some(at) = at {
            let (first, last) = known.seen.unwrap_or((at, at));
            known.seen = Some((first.min(at), last.max(at)));
        }
    }
}
