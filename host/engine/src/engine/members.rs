//! Channels that come and go while the engine runs, and which of the two holds at a start: the configuration, or such a change.
//!
//! A change is kept with whether the configuration named the channel then. As long as it still does, or still does not, the change
//! holds. What a channel has counted stays when it goes, and it goes on with that when it comes again.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::ReadableTable;
use serde::{Deserialize, Serialize};

use crate::chain::Channel;
use crate::chain::slot::Slot;
use crate::engine::checkpoints::texts;
use crate::engine::outputs::{HOST, show_stream, state_name};
use crate::engine::swap::{Order, Refused};
use crate::engine::{Chain, Engine, OpenError};
use crate::error::StoreError;
use crate::store::changed::Status;
use crate::store::log::{Record, decode};
use crate::store::tables::{SlotKey, Snapshot};

/// That a channel was added or removed while running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Whether it was added; removed otherwise.
    pub added: bool,
    /// Whether the configuration named it at that time.
    pub configured: bool,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// What each slot showed when it was removed: a rule shows only what changes.
    pub(crate) shown: BTreeMap<String, BTreeMap<String, String>>,
}

impl Snapshot {
    /// Every channel that was added or removed while running, by login.
    pub fn memberships(&self) -> Result<BTreeMap<String, Membership>, StoreError> {
        let mut found = BTreeMap::new();
        for row in self.membership.iter()? {
            let (channel, value) = row?;
            found.insert(channel.value().to_owned(), decode(value.value())?);
        }
        Ok(found)
    }
}

/// The channels that hold, of those that the configuration names and those that were changed while running: in the order of the
/// configuration, then in that in which they were added.
pub fn members(configured: &[String], changed: &BTreeMap<String, Membership>) -> Vec<String> {
    let is_removed = |name: &String| changed.get(name).is_some_and(|it| !it.added && it.configured);
    let mut members: Vec<String> =
        configured.iter().filter(|name| !is_removed(name)).cloned().collect();
    let mut added: Vec<_> = changed
        .iter()
        .filter(|(name, it)| it.added && !it.configured && !configured.contains(name))
        .collect();
    added.sort_by_key(|(_, it)| it.at);
    members.extend(added.into_iter().map(|(name, _)| name.clone()));
    members
}

impl Engine {
    /// Makes the slots of a channel. Where one of them cannot start, nothing of the channel runs.
    pub(crate) fn add(&mut self, chain: Chain) -> Result<(), OpenError> {
        let name: Arc<str> = chain.channel.to_lowercase().into();
        let mut slots = Vec::new();
        for (slot, rule) in chain.rules {
            let base = rule.base()?;
            let (rule, status, shown) = self.settle(&name, &slot, rule)?;
            let is_on = status == Status::On;
            let key =
                SlotKey { channel: Arc::clone(&name), slot: slot.as_str().into(), generation: 0 };
            self.pending.overlay().kept.component(&rule);
            let opened = Slot::open(&self.sandbox, key, rule, status, &mut self.pending, self.now)?;
            let mut opened = match opened {
                Ok(opened) => opened,
                Err(error) => {
                    slots.iter().for_each(|slot: &Slot| self.pending.timers.forget(&slot.key));
                    self.pending.overlay().outputs.retain(|(channel, _), _| *channel != name);
                    return Err(OpenError::Rule { channel: name.to_string(), slot, error });
                }
            };
            opened.base = Some(base);
            match is_on {
                true => self.show_again(&name, &opened.key.slot, shown)?,
                false => opened.unshown = shown,
            }
            slots.push(opened);
        }
        self.channels.insert(Arc::clone(&name), Channel { name: Arc::clone(&name), slots });
        self.record_chain(&name, None);
        Ok(())
    }

    /// Notes which rules are live from here on, and in which slot that is the one from before.
    pub(crate) fn record_chain(&mut self, channel: &Arc<str>, rolled_back: Option<&str>) {
        let Some(chain) = self.channels.get(channel) else { return };
        let live = chain.slots.iter().filter(|slot| slot.conduct.is_on()).map(|slot| {
            (slot.key.slot.to_string(), slot.rule.digest(), (*slot.rule.settings).clone())
        });
        let slots = live.collect();
        let (now, channel) = (self.now, channel.to_string());
        let rolled_back = rolled_back.map(str::to_owned);
        self.pending.record(Record::Chain { now, channel, slots, rolled_back });
    }

    /// Takes a channel up, where it left off if it was here before, and says when it was removed then, in milliseconds since 1970.
    /// `configured`: whether the configuration names it.
    pub fn add_channel(
        &mut self,
        chain: Chain,
        configured: bool,
        order: &Order,
    ) -> Result<Result<Option<u64>, Refused>, StoreError> {
        let name: Arc<str> = chain.channel.to_lowercase().into();
        if self.channels.contains_key(&name) {
            return Ok(Err(Refused(format!("#{name} is here already"))));
        }
        match self.add(chain) {
            Ok(()) => {}
            Err(OpenError::Store(error)) => return Err(error),
            Err(error @ OpenError::Rule { .. }) => return Ok(Err(Refused(error.to_string()))),
        }
        let before = self.pending.overlay().snapshot().memberships()?.remove(&*name);
        let before = before.filter(|it| !it.added);
        let removed_at = before.as_ref().map(|it| it.at);
        if let Some(before) = before {
            self.show_what_was_shown(&name, before)?;
        }
        show_stream(self.pending.overlay(), &name, state_name(None));
        let slots = self.channels.get(&name).map_or(&[][..], |channel| &channel.slots);
        let slots: Vec<Arc<str>> = slots.iter().map(|slot| Arc::clone(&slot.key.slot)).collect();
        slots.iter().for_each(|slot| self.show_standing(&name, slot));
        let now = Membership { added: true, configured, at: self.now, shown: BTreeMap::new() };
        self.changed_members(&name, now, order);
        Ok(Ok(removed_at))
    }

    fn show_what_was_shown(
        &mut self,
        channel: &Arc<str>,
        before: Membership,
    ) -> Result<(), StoreError> {
        for (slot, texts) in before.shown {
            let found = self.slot(channel, &slot).filter(|slot| slot.conduct.is_on());
            if let Some(slot) = found.map(|slot| Arc::clone(&slot.key.slot)) {
                self.show_again(channel, &slot, texts)?;
            }
        }
        Ok(())
    }

    /// Lets a channel go: nothing of it is called or shown any more. What it has counted stays.
    pub fn remove_channel(
        &mut self,
        channel: &str,
        configured: bool,
        order: &Order,
    ) -> Result<Result<(), Refused>, StoreError> {
        let Some((name, gone)) = self.channels.remove_entry(channel) else {
            return Ok(Err(Refused(format!("#{channel} is not here"))));
        };
        let mut shown = BTreeMap::new();
        for slot in gone.slots {
            let of_slot = texts(self.pending.overlay().shown_by(&name, &slot.key.slot)?);
            shown.insert(slot.key.slot.to_string(), of_slot);
            // They stay in the store, and fire once when the channel is here again.
            self.pending.timers.forget(&slot.key);
            if let Some(standby) = slot.standby {
                self.pending.timers.forget(&standby.key);
                self.pending.remove_later((*standby.key).clone());
            }
        }
        let outputs: Vec<String> =
            self.outputs().keys().filter(|(of, _)| *of == name).map(|(_, it)| it.clone()).collect();
        for output in outputs {
            let owner = self.pending.overlay().output(&name, &output)?;
            let owner = owner.map_or_else(|| HOST.into(), |(owner, _)| owner);
            self.pending.overlay().outputs.insert((Arc::clone(&name), output), (owner, None));
        }
        self.streams.remove(&name);
        self.pending.overlay().release(&name);
        let now = Membership { added: false, configured, at: self.now, shown };
        self.changed_members(&name, now, order);
        Ok(Ok(()))
    }

    fn changed_members(&mut self, channel: &Arc<str>, now: Membership, order: &Order) {
        self.pending.overlay().kept.members.insert(Arc::clone(channel), Some(now));
        self.enter(channel, "", None, None, order, None);
        self.slot_changes += 1;
        (self.pending.urgent, self.pending.dirty) = (true, true);
    }

    /// Drops the changes that the configuration, which names these channels, has overtaken. Once after a start.
    pub fn settle_members(&mut self, configured: &[String]) -> Result<(), StoreError> {
        for (channel, change) in self.pending.overlay().snapshot().memberships()? {
            if change.configured == configured.contains(&channel) {
                continue;
            }
            let name: Arc<str> = channel.into();
            if !change.added && self.channels.contains_key(&name) {
                self.show_what_was_shown(&name, change)?;
            }
            self.pending.overlay().kept.members.insert(name, None);
            self.pending.dirty = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_holds_until_the_configuration_says_something_else() {
        let change =
            |added, configured, at| Membership { added, configured, at, shown: BTreeMap::new() };
        let changed = BTreeMap::from([
            ("later".to_owned(), change(true, false, 9)),
            ("early".to_owned(), change(true, false, 3)),
            ("gone".to_owned(), change(false, true, 4)),
            // Added again by hand after it was removed by hand.
            ("back".to_owned(), change(true, true, 5)),
        ]);
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let of = |configured: &[&str]| members(&names(configured), &changed);
        assert_eq!(of(&["plain", "gone", "back"]), names(&["plain", "back", "early", "later"]));
        // It was taken out of the configuration, after it was removed or added by hand there.
        assert_eq!(of(&["plain"]), names(&["plain", "early", "later"]));
        // The configuration names it now: in its place there, and only once.
        assert_eq!(of(&["later", "plain"]), names(&["later", "plain", "early"]));
    }
}
