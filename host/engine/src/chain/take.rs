//! Takes the effects of a call into what is pending: all of them, or none.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::chain::pending::{Pending, Say, Verdict};
use crate::chain::slot::Slot;
use crate::chain::timers::LEAST_WAIT;
use crate::chain::usage::StateUse;
use crate::contract::{Delivery, Effect};
use crate::error::{CallError, Fault, StoreError};
use crate::overlay::waiting::Waiting;

impl Slot {
    /// Takes the effects of a call, whole. Whatever can refuse them has been asked before anything changes.
    pub(super) fn take(
        &mut self,
        pending: &mut Pending,
        now: u64,
        effects: &[Effect],
    ) -> Result<Verdict, CallError> {
        self.usage = self.fits(pending, effects)?;
        note_keys(self, effects);
        let mut verdict = Verdict::default();
        for effect in effects {
            self.apply(pending, now, effect, &mut verdict)?;
        }
        Ok(verdict)
    }

    /// Whether the slot's state and timers stay within their limits, and its outputs are its own.
    fn fits(&self, pending: &mut Pending, effects: &[Effect]) -> Result<StateUse, CallError> {
        let refused = |why: String| Err(CallError::Fault(Fault::Effects(why)));
        let limits = Arc::clone(&self.rule.limits);
        let mut usage = self.usage.clone();
        let mut sizes: Vec<(&str, Option<usize>)> = Vec::new();
        let (mut new_timers, mut messages, mut clips) = (0, Waiting::default(), 0);
        let mut new_outputs: BTreeSet<&str> = BTreeSet::new();
        for effect in effects {
            match effect {
                Effect::Put(entry) => {
                    let before = self.size_of(pending, &entry.key, &sizes)?;
                    usage.replace(entry.key.len(), before, Some(entry.value.len()));
                    sizes.push((&entry.key, Some(entry.value.len())));
                }
                Effect::Delete(key) => {
                    let before = self.size_of(pending, key, &sizes)?;
                    usage.replace(key.len(), before, None);
                    sizes.push((key, None));
                }
                Effect::Wake(alarm)
                    if alarm.at.is_some() && !pending.timers.is_set(&self.key, &alarm.name) =>
                {
                    new_timers += 1;
                }
                Effect::Publish(message) if message.delivery == Delivery::AtLeastOnce => {
                    messages.add(message);
                }
                Effect::Clip(_) => clips += 1,
                Effect::Reply(_) if pending.line().is_none() => {
                    return refused(
                        "a reply needs a line of chat, and there is none here: say it".to_owned(),
                    );
                }
                Effect::Show(output) => {
                    match pending.overlay().output(&self.key.channel, &output.name)? {
                        Some((owner, Some(_))) if owner != self.key.slot => {
                            let name = &output.name;
                            let why =
                                format!("the output {name} belongs to the rule in slot {owner}");
                            return Err(CallError::Fault(Fault::Conflict(why)));
                        }
                        Some((owner, _)) if owner == self.key.slot => {}
                        _ => drop(new_outputs.insert(&output.name)),
                    }
                }
                _ => {}
            }
        }
        if !new_outputs.is_empty()
            && pending.overlay().outputs_of(&self.key)? + new_outputs.len() > limits.outputs
        {
            return refused(format!("it would show more than {} outputs", limits.outputs));
        }
        if clips > 0 && pending.clips() + clips > limits.clips {
            return refused(format!("{} clips wait to be made already", limits.clips));
        }
        if usage.keys > limits.state_keys || usage.bytes > limits.state_bytes {
            let (keys, bytes) = (limits.state_keys, limits.state_bytes);
            return refused(format!("its state would have more than {keys} keys or {bytes} bytes"));
        }
        let waiting = pending.outbox();
        if messages.number > 0 && waiting.number + messages.number > limits.outbox {
            let most = limits.outbox;
            return refused(format!("{most} messages wait for a broker already"));
        }
        if messages.number > 0 && waiting.bytes + messages.bytes > limits.outbox_bytes {
            let most = limits.outbox_bytes >> 20;
            return refused(format!("messages of {most} MiB wait for a broker already"));
        }
        if new_timers > 0 && pending.timers.count(&self.key) + new_timers > limits.timers {
            return refused(format!("it would have more than {} timers", limits.timers));
        }
        Ok(usage)
    }

    /// The size of a value as it will stand after the effects so far.
    fn size_of(
        &self,
        pending: &mut Pending,
        key: &str,
        sizes: &[(&str, Option<usize>)],
    ) -> Result<Option<usize>, StoreError> {
        match sizes.iter().rev().find(|(changed, _)| *changed == key) {
            Some((_, size)) => Ok(*size),
            None => Ok(pending.overlay().state(&self.key, key)?.map(|value| value.len())),
        }
    }

    /// A line to be said in chat.
    fn line(&self, pending: &Pending, now: u64, text: &str, is_reply: bool) -> Say {
        Say {
            channel: Arc::clone(&self.key.channel),
            slot: Arc::clone(&self.key.slot),
            text: text.to_owned(),
            at: now,
            cause: pending.line().cloned(),
            is_reply,
        }
    }

    fn apply(
        &self,
        pending: &mut Pending,
        now: u64,
        effect: &Effect,
        verdict: &mut Verdict,
    ) -> Result<(), StoreError> {
        let key = &self.key;
        match effect {
            Effect::Put(entry) => {
                pending.overlay().put_state(key, entry.key.clone(), Some(entry.value.clone()));
            }
            Effect::Delete(name) => pending.overlay().put_state(key, name.clone(), None),
            Effect::Fave(fave) => verdict.faves.push(fave.clone()),
            Effect::Weigh(weight) => verdict.weight = Some(*weight),
            Effect::Drop => verdict.dropped = true,
            Effect::Show(output) => {
                // An empty text takes the output back.
                let text = Some(output.text.clone()).filter(|text| !text.is_empty());
                let shown = (Arc::clone(&key.slot), text);
                // A group with an output that stays as it is need not hurry.
                if pending.overlay().output(&key.channel, &output.name)?.as_ref() != Some(&shown) {
                    let (slot, text) = shown;
                    pending.overlay().show(&key.channel, output.name.clone(), slot, text);
                }
            }
            Effect::Publish(message) => pending.publish(message.clone()),
            Effect::Say(text) => pending.say(self.line(pending, now, text, false)),
            Effect::Reply(text) => pending.say(self.line(pending, now, text, true)),
            Effect::Wake(alarm) => {
                let at = alarm.at.map(|at| at.max(now + LEAST_WAIT));
                pending.timers.set(key, &alarm.name, at);
                pending.overlay().set_timer(key, alarm.name.clone(), at);
            }
            Effect::Clip(clip) => pending.clip(&key.channel, clip.clone()),
        }
        Ok(())
    }
}

/// While a swap is being prepared, the keys that change have to be taken over again.
fn note_keys(slot: &mut Slot, effects: &[Effect]) {
    let Some(noted) = &mut slot.noted else { return };
    for effect in effects {
        match effect {
            Effect::Put(entry) => drop(noted.keys.insert(entry.key.clone())),
            Effect::Delete(key) => drop(noted.keys.insert(key.clone())),
            _ => {}
        }
    }
}
