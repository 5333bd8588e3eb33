//! The engine's side of forgetting a person: the counts and the rules' state, and what has come since the log was read.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::request::ChangeRequest;
use crate::engine::swap::RuleState;
use crate::error::StoreError;
use crate::store::changes::Action;
use crate::store::checkpoint::texts;
use crate::store::forget::Erasure;
use crate::store::forget::who::Identity;

impl Engine {
    /// Forgets a person, with the next commit. Nothing may be decided and not committed.
    ///
    /// `states` is what the rules have made without them, from a run that has followed the log to its end. Without it the keys that are
    /// theirs go from the state of now. Returns the outputs that changed: name, before, after.
    pub fn forget(
        &mut self,
        mut forgetting: Erasure,
        states: Option<BTreeMap<String, RuleState>>,
        order: &ChangeRequest,
    ) -> Result<Vec<(String, Option<String>, Option<String>)>, StoreError> {
        let channel: Arc<str> = forgetting.channel.as_str().into();
        forgetting.read_on(&self.store.snapshot()?)?;
        let who = forgetting.who.clone();
        for id in who.ids() {
            self.pending.overlay().remove_person(&channel, id)?;
        }
        if let Some(awaited) = self.awaited.get_mut(&channel) {
            awaited.retain(|login| !who.has_login(login));
        }
        let slots = self.channels.get(&channel).into_iter().flat_map(|chain| &chain.slots);
        forgetting.live = slots.map(|slot| slot.key.slot.to_string()).collect();
        let changed = match states {
            Some(states) => self.adopt(&channel, states)?,
            None => self.forget_in_state(&channel, &who)?,
        };
        // The next event of the channel makes a checkpoint, if there is none left that is as young.
        if let Some(known) = &mut self.checkpoints
            && forgetting.checkpoints.values().any(|(_, state)| state.is_none())
        {
            known.insert(Arc::clone(&channel), 0);
        }
        let order = ChangeRequest { action: Action::Forget, ..order.clone() };
        self.audit(&channel, "", None, None, &order, None);
        self.pending.overlay().admin_rows().forgetting = Some(Box::new(forgetting));
        self.pending.mark_urgent();
        Ok(changed)
    }

    /// Takes the keys, timers and outputs that name a person away.
    fn forget_in_state(
        &mut self,
        channel: &Arc<str>,
        who: &Identity,
    ) -> Result<Vec<(String, Option<String>, Option<String>)>, StoreError> {
        let slots = self.channels.get(channel).into_iter().flat_map(|chain| &chain.slots);
        let keys: Vec<_> = slots.map(|slot| Arc::clone(&slot.key)).collect();
        let mut states = BTreeMap::new();
        for key in keys {
            let overlay = self.pending.overlay();
            let mut entries = overlay.scan_state(&key, "", None, usize::MAX)?;
            entries.retain(|entry| !who.is_named_in_key(&entry.key));
            let shown = overlay.shown_by(channel, &key.slot)?;
            let mut shown = texts(shown);
            shown.retain(|_, text| !who.is_named_in(text));
            let mut alarms = self.pending.timers.of(&key);
            alarms.retain(|(name, _)| !who.is_named_in_key(name));
            states.insert(key.slot.to_string(), RuleState { entries, alarms, shown });
        }
        self.adopt(channel, states)
    }
}
