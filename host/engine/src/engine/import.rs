//! Imports counts that another store has made, and moves those that are known by login alone to the id once the person is seen.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::chain::Decision;
use crate::contract::event::{by_login, person_in};
use crate::contract::{Event, Person};
use crate::engine::Engine;
use crate::engine::request::ChangeRequest;
use crate::error::StoreError;
use crate::store::changes::Action;
use crate::store::people::identity_name;
use crate::store::record::{Imported, Record};

/// What an import has added, or would add.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// Counts of one person for one item that have grown.
    pub counts: u64,
    /// Those that were here already.
    pub known: u64,
    /// Faves.
    pub faves: u64,
    /// The sum of their weights, in thousandths.
    pub weight: i64,
}

impl Engine {
    /// Names the store for exports, if it has no name yet.
    pub fn name_store(&mut self, identity: u64) -> Result<u64, StoreError> {
        let overlay = self.pending.overlay();
        if let Some(known) = overlay.identity()? {
            return Ok(known);
        }
        overlay.admin_rows().identity = Some(identity);
        Ok(identity)
    }

    /// Adds what is more in these counts than the same source has brought before. The counts of this very store, which a file of
    /// its own has, are added as far as they are missing here.
    ///
    /// `logins` says who is known by which login. With `dry` nothing changes.
    pub fn import(
        &mut self,
        (channel, source): (&str, &str),
        counts: &[Imported],
        logins: &HashMap<String, Person>,
        dry: bool,
    ) -> Result<ImportSummary, StoreError> {
        let name: Arc<str> = channel.into();
        let overlay = self.pending.overlay();
        let own = overlay.snapshot().identity()?.map(identity_name);
        let is_own = own.as_deref() == Some(source);
        let mut brought = ImportSummary::default();
        let mut added = Vec::new();
        for line in counts {
            let key = (&name, source, line.person.id.as_str(), line.item.as_str());
            let resolved = resolve(&line.person, logins);
            let (faves, weight) = match is_own {
                true => overlay.given(&name, &resolved.id, &line.item)?,
                false => overlay.imported(key)?,
            };
            if line.faves <= faves {
                brought.known += 1;
                continue;
            }
            let more = (line.faves - faves, line.weight.saturating_sub(weight));
            brought.counts += 1;
            brought.faves += more.0;
            brought.weight = brought.weight.saturating_add(more.1);
            if !dry {
                overlay.add(&name, &resolved, &line.item, more)?;
                if !is_own {
                    overlay.set_imported(key, (line.faves, line.weight));
                }
                let (person, item) = (resolved, line.item.clone());
                added.push(Imported { person, item, faves: more.0, weight: more.1 });
            }
        }
        if added.is_empty() {
            return Ok(brought);
        }
        for it in added.iter().filter(|it| it.person.id.starts_with('@')) {
            self.awaited.entry(Arc::clone(&name)).or_default().insert(it.person.login.clone());
        }
        let (now, channel, source) = (self.now, channel.to_owned(), source.to_owned());
        self.pending.record(Record::Imported { now, channel, source, counts: added });
        Ok(brought)
    }

    /// Notes that the counts of a source include those of other sources, so that these are not imported a second time by themselves.
    pub fn note_sources(&mut self, channel: &str, source: &str, includes: &[String]) {
        let channel: Arc<str> = channel.into();
        for included in includes.iter().filter(|it| *it != source) {
            self.pending.overlay().set_imported((&channel, included, "", source), (0, 0));
        }
    }

    /// Writes down in the audit log that counts come from elsewhere.
    pub fn note_import(&mut self, channel: &str, by: &str, note: &str) {
        self.audit(channel, "", None, None, &ChangeRequest::new(Action::Import, by, note), None);
    }

    /// Notes the people whom faves name by login alone and nobody knows yet: the host finds out who they are.
    pub(crate) fn note_unnamed(&mut self, decision: &Decision) -> Result<(), StoreError> {
        for fave in decision.faves.iter().filter(|it| it.person.id.starts_with('@')) {
            let channel = &decision.channel;
            if self.pending.overlay().known_by_login(channel, &fave.person.id)?.is_some() {
                continue;
            }
            let login = fave.person.id.trim_start_matches('@').to_owned();
            if self.awaited.entry(Arc::clone(channel)).or_default().insert(login.clone()) {
                self.unnamed.push((Arc::clone(channel), login));
            }
        }
        Ok(())
    }

    /// Everybody whose faves are counted by login alone, by channel.
    pub fn awaited(&self) -> Vec<(Arc<str>, String)> {
        let of = |(channel, logins): (&Arc<str>, &HashSet<String>)| {
            logins.iter().map(|login| (Arc::clone(channel), login.clone())).collect::<Vec<_>>()
        };
        self.awaited.iter().flat_map(of).collect()
    }

    /// Somebody's id is known now: what is counted for the login is theirs. False: there is nothing.
    pub fn identify(&mut self, channel: &str, person: &Person) -> Result<bool, StoreError> {
        let Some(logins) = self.awaited.get_mut(channel) else { return Ok(false) };
        if !logins.remove(&person.login) {
            return Ok(false);
        }
        let name: Arc<str> = channel.into();
        if !self.pending.overlay().join(&name, person)? {
            return Ok(false);
        }
        let (now, channel, person) = (self.now, channel.to_owned(), person.clone());
        self.pending.record(Record::Joined { now, channel, person });
        Ok(true)
    }

    /// If this person's login has imported counts, moves them to the person's id. Runs before any rule sees the event.
    pub(crate) fn claim_imported_counts(
        &mut self,
        now: u64,
        event: &Event,
    ) -> Result<(), StoreError> {
        let Some(logins) = self.awaited.get(event.channel.as_str()) else { return Ok(()) };
        let Some(person) = person_in(&event.what) else { return Ok(()) };
        let has_id = person.id != person.login && !person.id.starts_with('@');
        if has_id && logins.contains(&person.login) {
            self.now = self.now.max(now);
            self.identify(&event.channel, person)?;
        }
        Ok(())
    }
}

/// Resolves a login-only person to the id that this store knows for the login, if any.
fn resolve(person: &Person, logins: &HashMap<String, Person>) -> Person {
    if !person.id.starts_with('@') {
        return person.clone();
    }
    match logins.get(&person.login) {
        Some(known) => known.clone(),
        None => Person { id: by_login(&person.login), ..person.clone() },
    }
}
