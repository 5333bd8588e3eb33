//! A channel that has another login now goes on under the new one, with everything that it had: counts, the rules' state and timers, outputs, the log,
//! checkpoints, and what was counted over time.

use std::sync::Arc;

use crate::chain::stream::{show_stream, state_name};
use crate::engine::request::ChangeRequest;
use crate::engine::{Chain, Engine, OpenError};
use crate::error::StoreError;
use crate::guest::rule::Rule;
use crate::series::names::Names;
use crate::series::store;
use crate::store::Store;
use crate::store::changes::Action;
use crate::store::rename::{Both, Renaming, keep_room};
use crate::store::snapshot::Snapshot;

/// What the id of a channel tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomNews {
    /// Nothing new.
    Known,
    /// The channel had another login, and goes on with what that had.
    Renamed(FormerLogin),
    /// It had another login, and both have counts: nothing is done.
    BothCounted(FormerLogin),
}

/// A login that a channel had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerLogin {
    /// The login.
    pub login: String,
    /// How many faves were counted under it.
    pub faves: u64,
    /// How many faves were counted under the login of now, before.
    pub own: u64,
}

/// Gives everything that is stored of a channel to another login. Where that has counts of its own, they are added; its rules' state stays
/// then. No engine may have the store.
pub fn rename_channel(store: &Store, old: &str, new: &str) -> Result<FormerLogin, StoreError> {
    let snapshot = store.snapshot()?;
    let former = former(&snapshot, old, new)?;
    write(store, &snapshot, &former, new, None)?;
    Ok(former)
}

fn former(snapshot: &Snapshot, old: &str, new: &str) -> Result<FormerLogin, StoreError> {
    let faves = snapshot.channel_tally(old)?.faves;
    Ok(FormerLogin { login: old.to_owned(), faves, own: snapshot.channel_tally(new)?.faves })
}

fn write(
    store: &Store,
    snapshot: &Snapshot,
    former: &FormerLogin,
    new: &str,
    id: Option<u64>,
) -> Result<(), StoreError> {
    let both = if former.own == 0 { Both::Replaced } else { Both::Added };
    let names = Names::read(snapshot)?;
    store.write(|transaction| {
        Renaming { old: &former.login, new, both }.write(transaction)?;
        store::rename(transaction, names, (&former.login, new))?;
        id.map_or(Ok(()), |id| keep_room(transaction, new, id))
    })
}

impl Engine {
    /// Notes the id that Twitch says for a channel. If it had another login, which is not here any more, it goes on with what was kept under
    /// that, unless the new one has counts already. Nothing may be decided and not committed.
    pub fn note_room(&mut self, channel: &str, id: u64) -> Result<RoomNews, OpenError> {
        let Some((name, _)) = self.channels.get_key_value(channel) else {
            return Ok(RoomNews::Known);
        };
        let name = Arc::clone(name);
        let snapshot = self.store.snapshot()?;
        let mut others = snapshot.logins_of_room(id, channel)?;
        others.retain(|login| !self.channels.contains_key(login.as_str()));
        if snapshot.room(channel)? != Some(id) {
            self.store.write(|transaction| keep_room(transaction, channel, id))?;
        }
        let Some(old) = others.first() else { return Ok(RoomNews::Known) };
        let former = former(&snapshot, old, channel)?;
        match former.own {
            0 => {
                self.rename(&name, &former, id)?;
                Ok(RoomNews::Renamed(former))
            }
            // A login under which nothing was counted has nothing to bring.
            _ if former.faves == 0 => Ok(RoomNews::Known),
            _ => Ok(RoomNews::BothCounted(former)),
        }
    }

    fn rename(&mut self, new: &Arc<str>, former: &FormerLogin, id: u64) -> Result<(), OpenError> {
        let snapshot = self.store.snapshot()?;
        let shown = snapshot.channel_overrides()?.remove(&former.login);
        let rules = self.put_down(new);
        write(&self.store, &snapshot, former, new, Some(id))?;
        drop(snapshot);
        self.read_again(new, &former.login)?;
        self.add(Chain { channel: new.to_string(), rules })?;
        if let Some(shown) = shown {
            self.show_what_was_shown(new, shown)?;
        }
        let state = state_name(self.streams.get(new));
        show_stream(self.pending.overlay(), new, state);
        self.slots(new).iter().for_each(|slot| self.show_slot_status(new, slot));
        let note = format!(
            "it was #{} before (Twitch's id {id}); everything of that goes on here",
            former.login
        );
        let order = ChangeRequest::new(Action::AddChannel, "heatd", &note);
        self.audit(new, "", None, None, &order, None);
        self.pending.mark_urgent();
        Ok(())
    }

    /// Ends a channel in memory, and returns its rules by slot.
    fn put_down(&mut self, channel: &Arc<str>) -> Vec<(String, Rule)> {
        let slots = self.channels.remove(channel).map(|it| it.slots).unwrap_or_default();
        for slot in &slots {
            self.pending.timers.forget(&slot.key);
            if let Some(standby) = &slot.standby {
                self.pending.timers.forget(&standby.key);
            }
        }
        self.pending.keep_rows(channel);
        let shown = self.outputs.iter_mut().filter(|((of, _), _)| of == channel);
        shown.for_each(|(_, text)| *text = None);
        slots.into_iter().map(|slot| (slot.key.slot.to_string(), slot.rule)).collect()
    }

    /// Reads again what an engine reads when it is opened, of a channel whose rows are others now.
    fn read_again(&mut self, new: &Arc<str>, old: &str) -> Result<(), StoreError> {
        self.pending.keep_rows(old);
        self.pending.overlay().written(self.store.snapshot()?);
        self.pending.overlay().release(new);
        self.pending.overlay().release(old);
        let snapshot = self.store.snapshot()?;
        self.streams.remove(old);
        match snapshot.stream(new)? {
            Some(stream) => drop(self.streams.insert(Arc::clone(new), stream)),
            None => drop(self.streams.remove(new)),
        }
        self.awaited = snapshot.awaited()?;
        if self.checkpoints.is_some() {
            self.checkpoints = Some(snapshot.newest_checkpoints()?);
        }
        match &mut self.series {
            Some(series) => series.begin_again(snapshot),
            None => Ok(()),
        }
    }
}
