//! The engine's side of a swap: begins it, copies the state, and flips.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tracing::info;

use super::{Swap, SwapTicket};
use crate::chain::breaker::Breaker;
use crate::chain::migration::Migration;
use crate::chain::slot::{DirtyKeys, Slot};
use crate::chain::usage::StateUse;
use crate::contract::Entry;
use crate::engine::Engine;
use crate::engine::request::{ChangeError, ChangeRequest};
use crate::error::{SlotError, StoreError};
use crate::store::changes::{Action, Status};
use crate::store::checkpoint::texts;
use crate::store::record::Record;
use crate::store::tables::{Owner, SlotKey};

impl Engine {
    /// Begins a swap: from now on it is noted what the rule in the slot writes.
    pub fn begin(&mut self, channel: &str, slot: &str) -> Result<SwapTicket, ChangeError> {
        if self.slot(channel, slot).is_some_and(|found| found.rule.pinned) {
            let problem =
                format!("the configuration says that it alone decides on the slot {slot}");
            return Err(ChangeError::Rejected(problem));
        }
        self.begin_as_configured(channel, slot)
    }

    /// Begins a swap to what the configuration says now.
    pub fn begin_as_configured(
        &mut self,
        channel: &str,
        slot: &str,
    ) -> Result<SwapTicket, ChangeError> {
        let mut begun = self.inspect(channel, slot)?;
        let keys = self.pending.overlay().changed_keys(&begun.before);
        self.swaps += 1;
        begun.ticket = self.swaps;
        let Some(found) = self.slot_mut(channel, slot) else { return Ok(begun) };
        if found.noted.is_some() {
            let problem = format!("another change of the slot {slot} is under way; wait for it");
            return Err(ChangeError::Rejected(problem));
        }
        found.noted = Some(DirtyKeys { ticket: begun.ticket, keys });
        self.generations = begun.after.generation;
        Ok(begun)
    }

    /// What a swap would begin with, for somebody who changes nothing.
    pub fn inspect(&self, channel: &str, slot: &str) -> Result<SwapTicket, ChangeError> {
        let snapshot = self.store.snapshot()?;
        let Some(chain) = self.channels.get(channel) else {
            return Err(ChangeError::Rejected(format!("there is no channel {channel:?}")));
        };
        let rules = chain.slots.iter().filter(|it| it.breaker.is_on());
        let rules = rules.map(|it| (it.key.slot.to_string(), it.rule.clone())).collect();
        let Some(found) = self.slot(channel, slot) else {
            return Err(ChangeError::no_slot_of(chain, slot));
        };
        let standby = found.standby.as_ref().map_or(0, |standby| standby.key.generation);
        let leaving = self.pending.leaving().filter(|it| it.is_of(&found.key));
        let newest = leaving.map(|it| it.generation).max().unwrap_or(0);
        // Nor one that a swap has which is prepared.
        let newest = found.key.generation.max(standby).max(newest).max(self.generations);
        let generation = newest + 1;
        let description = found.rule.description();
        Ok(SwapTicket {
            ticket: 0,
            rule: found.rule.clone(),
            chain: rules,
            snapshot: Arc::new(snapshot),
            is_on: found.breaker.is_on(),
            after: Arc::new(SlotKey { generation, ..(*found.key).clone() }),
            owner: Owner {
                generation: found.key.generation,
                version: description.state_version,
                rule: description.name.clone(),
            },
            before: Arc::clone(&found.key),
        })
    }

    /// Gives up the swap that has begun with this ticket.
    pub fn give_up(&mut self, channel: &str, slot: &str, ticket: u64) {
        if let Some(slot) = self.slot_mut(channel, slot) {
            // Another one may have begun since.
            slot.noted.take_if(|noted| noted.ticket == ticket);
        }
    }

    /// Copies so many entries of the state into the new generation, and then of what the rule before wrote meanwhile; true when few
    /// are left, which the flip takes. A large state is copied over several commits, so that no event waits for it.
    pub fn copy(&mut self, swap: &mut Swap, rows: usize) -> Result<bool, StoreError> {
        self.put_left(swap, rows);
        if !swap.left.is_empty() {
            return Ok(false);
        }
        let (channel, name) = (Arc::clone(&swap.before.channel), Arc::clone(&swap.before.slot));
        let Some(slot) = self.slot_mut(&channel, &name) else { return Ok(true) };
        let Some(noted) = slot.noted.as_mut().filter(|noted| noted.keys.len() > rows) else {
            return Ok(true);
        };
        let some: BTreeSet<String> = (0..rows).map_while(|_| noted.keys.pop_first()).collect();
        match self.take_over_again(swap, some.clone()) {
            Ok(_) => Ok(false),
            Err(SlotError::Store(error)) => Err(error),
            // The flip is refused for the same reason.
            Err(SlotError::Rule(_)) => {
                let slot = self.slot_mut(&channel, &name);
                slot.and_then(|slot| slot.noted.as_mut())
                    .into_iter()
                    .for_each(|it| it.keys.extend(some.clone()));
                Ok(true)
            }
        }
    }

    fn put_left(&mut self, swap: &mut Swap, rows: usize) {
        let from = swap.left.len().saturating_sub(rows);
        let overlay = self.pending.overlay();
        overlay.begin_whole(&swap.after);
        for entry in swap.left.drain(from..) {
            overlay.put_state(&swap.after, entry.key, Some(entry.value));
        }
    }

    /// Puts the new rule in the place of the one before, between two events.
    pub fn flip(&mut self, mut swap: Swap, order: &ChangeRequest) -> Result<(), ChangeError> {
        self.flip_in_place(&mut swap, order)
    }

    /// As [`Engine::flip`], and leaves what was copied to the caller: to let go of a large state takes a while, which events would
    /// have to wait for.
    pub fn flip_in_place(
        &mut self,
        swap: &mut Swap,
        order: &ChangeRequest,
    ) -> Result<(), ChangeError> {
        let handed = swap.alarms.clone().map(|alarms| Record::Handed {
            now: self.now,
            channel: swap.channel().to_owned(),
            slot: swap.slot().to_owned(),
            entries: swap.left.clone(),
            alarms,
            shown: swap.shown.clone(),
        });
        // All that is left is copied at once: nothing may happen between this and the exchange.
        self.put_left(swap, usize::MAX);
        let (channel, name) = (Arc::clone(&swap.before.channel), Arc::clone(&swap.before.slot));
        // Another change of the slot since the begin has its own ticket, or its own generation: then this swap knows an old state.
        let noted = match self.slot_mut(&channel, &name) {
            Some(slot) if slot.key == swap.before => {
                slot.noted.take_if(|noted| noted.ticket == swap.ticket)
            }
            _ => None,
        };
        let taken = match noted {
            None => {
                let why = format!("the slot {name} was changed meanwhile; try again");
                Err(ChangeError::Rejected(why))
            }
            Some(noted) => self.take_over_again(swap, noted.keys).map_err(ChangeError::from),
        };
        // What was copied for a rule that does not get the slot is removed again.
        let usage = taken.inspect_err(|_| self.pending.remove_later((*swap.after).clone()))?;
        // Timers of a rule that goes on with the state are those of now, and not of the time when the swap began.
        let alarms = swap.alarms.take().unwrap_or_else(|| match &swap.moved {
            Some(_) => self.pending.timers.of(&swap.before),
            None => Vec::new(),
        });
        for (alarm, at) in alarms {
            self.pending.timers.set(&swap.after, &alarm, Some(at));
            self.pending.overlay().set_timer(&swap.after, alarm, Some(at));
        }
        if let Some(handed) = handed {
            self.pending.record(handed);
        }
        Ok(self.exchange(swap, usage, order)?)
    }

    /// Takes over what the rule before wrote while the swap was prepared.
    fn take_over_again(
        &mut self,
        swap: &mut Swap,
        noted: BTreeSet<String>,
    ) -> Result<StateUse, SlotError> {
        let Some(moved) = &mut swap.moved else { return Ok(StateUse::default()) };
        // What a run has made stands as it is.
        if noted.is_empty() || swap.alarms.is_some() {
            return Ok(moved.usage.clone());
        }
        let Some(mut migration) = Migration::of(&self.sandbox, &swap.rule, &swap.owner)? else {
            return Ok(moved.usage.clone());
        };
        for key in noted {
            let value = self.pending.overlay().state(&swap.before, &key)?;
            let entry = value.map(|value| Entry { key: key.clone(), value });
            let rewritten = entry.map(|entry| migration.entry(&swap.rule, entry)).transpose()?;
            let rewritten = rewritten.unwrap_or_default();
            for entry in moved.entries.remove(&key).into_iter().flatten() {
                moved.usage.replace(entry.key.len(), Some(entry.value.len()), None);
                self.pending.overlay().put_state(&swap.after, entry.key, None);
            }
            for entry in &rewritten {
                let (key, value) = (entry.key.clone(), entry.value.clone());
                moved.usage.replace(key.len(), None, Some(value.len()));
                self.pending.overlay().put_state(&swap.after, key, Some(value));
            }
            moved.entries.insert(key, rewritten);
        }
        Ok(moved.usage.clone())
    }

    /// Puts the new rule in the slot, and keeps the one before as its standby while that makes sense.
    fn exchange(
        &mut self,
        swap: &mut Swap,
        usage: StateUse,
        order: &ChangeRequest,
    ) -> Result<(), StoreError> {
        let (channel, name) = (Arc::clone(&swap.before.channel), Arc::clone(&swap.before.slot));
        let now = self.now;
        // Read before the slot changes: what stands there now is what the rule before would show until it shows something else.
        let shown = texts(self.pending.overlay().shown_by(&channel, &name)?);
        let Some(slot) = self.slot_mut(&channel, &name) else { return Ok(()) };
        let mut new = Slot::new(
            Arc::clone(&swap.after),
            swap.rule.clone(),
            usage,
            Breaker::new(Status::On, now),
        );
        new.base = if order.configured { Some(new.rule.base()?) } else { slot.base };
        new.added = slot.added.clone();
        std::mem::swap(slot, &mut new);
        let mut before = new;
        let (mut gone, mut again) = (Vec::new(), BTreeMap::new());
        let goes_on = before.rule.description().name == slot.rule.description().name;
        // One standby at most: the rule before that one cannot be rolled back to any more.
        gone.extend(before.standby.take().map(|standby| (*standby.key).clone()));
        let from = before.rule.digest();
        slot.rolled_back = order.action == Action::RollBack;
        if before.breaker.is_on() {
            // It was called until now, so its state is up to date: it goes on over its own generation, and a rollback loses nothing.
            slot.breaker.begin_probation(now);
            slot.breaker.show(swap.shown.keys());
            before.end_instance();
            before.breaker.probation = None;
            before.hidden_outputs = shown;
            slot.standby = Some(Box::new(before));
        } else {
            // A slot that was off has missed events, so its rule cannot stand by.
            gone.push((*before.key).clone());
            if goes_on {
                again = before.hidden_outputs;
            }
        }
        let owned = slot.rule.clone();
        let description = owned.description();
        gone.into_iter().for_each(|key| self.pending.remove_later(key));
        self.pending.overlay().admin_rows().own(
            &swap.after,
            description.state_version,
            &description.name,
        );
        self.show_again(&channel, &name, again)?;
        for (output, text) in std::mem::take(&mut swap.shown) {
            self.show(&channel, &name, output, text);
        }
        info!(channel = &*channel, rule = &*name, digest = %owned.digest(), action = order.action.name(), by = order.by, "rule exchanged");
        self.changed(&channel, &name, Some(from), order, false)
    }
}
