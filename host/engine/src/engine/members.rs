//! Channels that come and go while the engine runs. What a channel has counted stays when it goes, and it goes on with that when it
//! comes again.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::chain::Channel;
use crate::chain::slot::Slot;
use crate::chain::stream::{HOST, show_stream, state_name};
use crate::engine::request::{ChangeError, ChangeRequest};
use crate::engine::{Chain, Engine, OpenError};
use crate::error::{SlotError, StoreError};
use crate::store::changes::Status;
use crate::store::checkpoint::texts;
use crate::store::membership::ChannelOverride;
use crate::store::tables::SlotKey;

impl Engine {
    /// Makes the slots of a channel. Where one of them cannot start, nothing of the channel runs.
    pub(crate) fn add(&mut self, chain: Chain) -> Result<(), OpenError> {
        let name: Arc<str> = chain.channel.to_lowercase().into();
        let mut slots = Vec::new();
        for (slot, rule) in chain.rules {
            let (base, added) = (rule.base()?, rule.added.clone());
            let (rule, status, shown) = self.resolve_rule(&name, &slot, rule)?;
            let is_on = status == Status::On;
            let key =
                SlotKey { channel: Arc::clone(&name), slot: slot.as_str().into(), generation: 0 };
            self.pending.overlay().admin_rows().component(rule.digest(), &rule.component.bytes);
            let opened = Slot::open(&self.sandbox, key, rule, status, &mut self.pending, self.now);
            let mut opened = match opened {
                Ok(opened) => opened,
                Err(SlotError::Store(error)) => return Err(error.into()),
                Err(SlotError::Rule(error)) => {
                    slots.iter().for_each(|slot: &Slot| self.pending.timers.forget(&slot.key));
                    self.pending.overlay().unshow(&name);
                    return Err(OpenError::Rule { channel: name.to_string(), slot, error });
                }
            };
            (opened.base, opened.added) = (Some(base), added);
            match is_on {
                true => self.show_again(&name, &opened.key.slot, shown)?,
                false => opened.hidden_outputs = shown,
            }
            slots.push(opened);
        }
        self.channels.insert(Arc::clone(&name), Channel { name: Arc::clone(&name), slots });
        self.record_chain(&name, None, None);
        Ok(())
    }

    /// Takes a channel up, where it left off if it was here before, and says when it was removed then, in milliseconds since 1970.
    /// `configured`: whether the configuration names it.
    pub fn add_channel(
        &mut self,
        chain: Chain,
        configured: bool,
        order: &ChangeRequest,
    ) -> Result<Option<u64>, ChangeError> {
        let name: Arc<str> = chain.channel.to_lowercase().into();
        if self.channels.contains_key(&name) {
            return Err(ChangeError::Rejected(format!("#{name} is here already")));
        }
        self.add(chain)?;
        let before = self.pending.overlay().snapshot().channel_overrides()?.remove(&*name);
        let before = before.filter(|it| !it.added);
        let removed_at = before.as_ref().map(|it| it.at);
        if let Some(before) = before {
            self.show_what_was_shown(&name, before)?;
        }
        show_stream(self.pending.overlay(), &name, state_name(None));
        let slots = self.channels.get(&name).map_or(&[][..], |channel| &channel.slots);
        let slots: Vec<Arc<str>> = slots.iter().map(|slot| Arc::clone(&slot.key.slot)).collect();
        slots.iter().for_each(|slot| self.show_slot_status(&name, slot));
        let now = ChannelOverride { added: true, configured, at: self.now, shown: BTreeMap::new() };
        self.changed_members(&name, now, order);
        Ok(removed_at)
    }

    pub(crate) fn show_what_was_shown(
        &mut self,
        channel: &Arc<str>,
        before: ChannelOverride,
    ) -> Result<(), StoreError> {
        for (slot, texts) in before.shown {
            let found = self.slot(channel, &slot).filter(|slot| slot.breaker.is_on());
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
        order: &ChangeRequest,
    ) -> Result<(), ChangeError> {
        let Some((name, gone)) = self.channels.remove_entry(channel) else {
            return Err(ChangeError::Rejected(format!("#{channel} is not here")));
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
            self.pending.overlay().show(&name, output, owner, None);
        }
        self.streams.remove(&name);
        self.pending.overlay().release(&name);
        let now = ChannelOverride { added: false, configured, at: self.now, shown };
        self.changed_members(&name, now, order);
        Ok(())
    }

    fn changed_members(&mut self, channel: &Arc<str>, now: ChannelOverride, order: &ChangeRequest) {
        self.pending.overlay().admin_rows().members.insert(Arc::clone(channel), Some(now));
        self.audit(channel, "", None, None, order, None);
        self.slot_changes += 1;
        self.pending.mark_urgent();
    }

    /// Drops the changes that the configuration, which names these channels, has overtaken. Once after a start.
    pub fn resolve_channels(&mut self, configured: &[String]) -> Result<(), StoreError> {
        for (channel, change) in self.pending.overlay().snapshot().channel_overrides()? {
            if change.configured == configured.contains(&channel) {
                continue;
            }
            let name: Arc<str> = channel.into();
            if !change.added && self.channels.contains_key(&name) {
                self.show_what_was_shown(&name, change)?;
            }
            self.pending.overlay().admin_rows().members.insert(name, None);
        }
        Ok(())
    }
}
