//! Rolls a slot back to the standby, turns it off and on, and persists every change.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::chain::breaker::Breaker;
use crate::contract::Role;
use crate::contract::digest::Digest;
use crate::engine::Engine;
use crate::engine::request::{ChangeError, ChangeRequest};
use crate::error::StoreError;
use crate::guest::rule::Rule;
use crate::store::changes::{Action, SlotOverride, Status};
use crate::store::checkpoint::texts;
use crate::store::dead_letter::DeadLetter;

impl Engine {
    /// Back to the rule before, which has gone on over its own state.
    pub fn roll_back(
        &mut self,
        channel: &Arc<str>,
        slot: &str,
        order: &ChangeRequest,
    ) -> Result<(), ChangeError> {
        // Going back once more leads further back, and not to what was live a moment ago.
        if self.slot(channel, slot).is_some_and(|found| found.rolled_back) {
            let problem = format!(
                "the slot {slot} went back already; what was live earlier has to be deployed again"
            );
            return Err(ChangeError::Rejected(problem));
        }
        self.restore_standby(channel, slot, order)
    }

    /// Makes the standby live again. What it has kept and would show is as if it had been live all the time.
    pub(crate) fn restore_standby(
        &mut self,
        channel: &Arc<str>,
        slot: &str,
        order: &ChangeRequest,
    ) -> Result<(), ChangeError> {
        let now = self.now;
        let Some(found) = self.slot_mut(channel, slot) else {
            return Err(ChangeError::no_slot(channel, slot));
        };
        let Some(standby) = found.standby.take() else {
            let problem = format!("the slot {slot} has no rule on probation");
            return Err(ChangeError::Rejected(problem));
        };
        let failed = std::mem::replace(found, *standby);
        found.breaker.since = now;
        let hidden_outputs = std::mem::take(&mut found.hidden_outputs);
        let (key, from) = (Arc::clone(&found.key), failed.rule.digest());
        let (version, rule) =
            (found.rule.description().state_version, found.rule.description().name.clone());
        self.pending.remove_later((*failed.key).clone());
        if let (Role::Formula, Some(probation)) = (failed.role(), &failed.breaker.probation) {
            // The rule that is live again has answered those events, and would count them twice.
            let (digest, since) = (failed.rule.digest(), probation.since);
            let is_one = |letter: &DeadLetter| letter.digest == digest && letter.at >= since;
            self.pending.drop_dead_letters((channel, slot), is_one)?;
        }
        self.pending.overlay().admin_rows().own(&key, version, &rule);
        // What only the failed rule has shown goes with it.
        if failed.rule.description().name != rule {
            let shown = failed.breaker.probation.map(|it| it.shown).unwrap_or_default();
            self.take_back(channel, slot, |output| {
                shown.contains(output) && !hidden_outputs.contains_key(output)
            })?;
        }
        for (output, text) in hidden_outputs {
            self.show(channel, &key.slot, output, text);
        }
        self.changed(channel, slot, Some(from), order, true)?;
        Ok(())
    }

    /// Turns a slot off or on.
    pub fn set_status(
        &mut self,
        channel: &Arc<str>,
        slot: &str,
        status: Status,
        order: &ChangeRequest,
    ) -> Result<(), ChangeError> {
        let now = self.now;
        let Some(found) = self.slot_mut(channel, slot) else {
            return Err(ChangeError::no_slot(channel, slot));
        };
        if found.rule.pinned && order.action != Action::Quarantine {
            let problem =
                format!("the configuration says that it alone decides on the slot {slot}");
            return Err(ChangeError::Rejected(problem));
        }
        if found.breaker.is_on() == (status == Status::On) {
            let state = if found.breaker.is_on() { "on" } else { "off" };
            return Err(ChangeError::Rejected(format!("the slot {slot} is {state} already")));
        }
        let was_on = found.breaker.is_on();
        let shown = texts(self.pending.overlay().shown_by(channel, slot)?);
        let Some(found) = self.slot_mut(channel, slot) else { return Ok(()) };
        found.breaker = Breaker::new(status, now);
        found.noted = None;
        let put_away = std::mem::replace(&mut found.hidden_outputs, shown);
        let (standby, key) = (found.standby.take(), Arc::clone(&found.key));
        let digest = found.rule.digest();
        found.end_instance();
        if let Some(standby) = standby {
            self.pending.remove_later((*standby.key).clone());
        }
        if was_on {
            // Its timers stay in the store, and fire once when it is on again.
            self.pending.timers.forget(&key);
            self.take_back(channel, slot, |_| true)?;
        } else {
            for (name, at) in self.pending.overlay().alarms(&key)? {
                self.pending.timers.set(&key, &name, Some(at));
            }
            // A rule shows only what changes: it thinks that this stands there.
            self.show_again(channel, &key.slot, put_away)?;
        }
        self.changed(channel, slot, Some(digest), order, false)?;
        Ok(())
    }

    /// Persists the slot's override, writes log and audit entries, and publishes its status. `back`: the live rule is the former standby.
    pub(in crate::engine) fn changed(
        &mut self,
        channel: &Arc<str>,
        slot: &str,
        from: Option<Digest>,
        order: &ChangeRequest,
        back: bool,
    ) -> Result<(), StoreError> {
        let Some(rule) = self.keep_override(channel, slot)? else { return Ok(()) };
        self.audit(channel, slot, from, Some(&rule), order, None);
        let rolled_back = (order.action == Action::RollBack && back).then_some(slot);
        self.record_chain(channel, rolled_back, None);
        self.show_slot_status(channel, slot);
        Ok(())
    }

    /// The configuration says this rule of a slot now, and what runs there goes on: from here on it is what differs from that.
    pub fn configured_as(
        &mut self,
        channel: &Arc<str>,
        slot: &str,
        said: &Rule,
    ) -> Result<(), ChangeError> {
        let base = said.base()?;
        let Some(found) = self.slot_mut(channel, slot) else {
            return Err(ChangeError::no_slot(channel, slot));
        };
        found.base = Some(base);
        self.keep_override(channel, slot)?;
        self.show_slot_status(channel, slot);
        Ok(())
    }

    /// Persists in what a slot differs from the configuration. Returns its rule.
    fn keep_override(
        &mut self,
        channel: &Arc<str>,
        slot: &str,
    ) -> Result<Option<Rule>, StoreError> {
        let Some(found) = self.slot(channel, slot) else { return Ok(None) };
        let (rule, status, base) = (found.rule.clone(), found.breaker.status.clone(), found.base);
        let added = found.added.clone();
        let (digest, given) = (rule.digest(), rule.given.to_vec());
        let shown =
            if status == Status::On { BTreeMap::new() } else { found.hidden_outputs.clone() };
        let as_configured = base == Some(rule.base()?) && status == Status::On && added.is_none();
        let kept = self.pending.overlay().admin_rows();
        kept.component(rule.digest(), &rule.component.bytes);
        if let Some(base) = base {
            let change = SlotOverride { base, digest, given, status, shown, added };
            let change = (!as_configured).then_some(change);
            kept.changed.insert((Arc::clone(channel), slot.into()), change);
        }
        Ok(Some(rule))
    }
}
