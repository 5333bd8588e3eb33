//! What the events since the last commit have decided: the overlay, the records, and what leaves after the commit.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::chain::slot::{Slot, StateUse};
use crate::chain::timers::{LEAST_WAIT, Timers};
use crate::contract::{Delivery, Effect, Event, Fave, Message, NewFave};
use crate::engine::retry::Letter;
use crate::error::{Fault, StoreError};
use crate::overlay::Overlay;
use crate::store::log::Record;
use crate::store::tables::SlotKey;

/// How many rows of a generation that is gone one commit removes.
const REMOVED_AT_ONCE: usize = 200;

/// A line that a rule wants to have said in chat. It is said at most once, after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    /// Login of the channel.
    pub channel: Arc<str>,
    /// The line.
    pub text: String,
    /// When the rule asked, in milliseconds since 1970: dropped when it cannot be said within 10 seconds.
    pub at: u64,
}

pub(crate) struct Pending {
    /// Lent to a guest for the time of its call.
    pub(crate) overlay: Option<Box<Overlay>>,
    pub(crate) timers: Timers,
    pub(crate) records: Vec<Record>,
    /// Whether there is a log; a run has none.
    pub(crate) is_logged: bool,
    pub(crate) says: Vec<Say>,
    /// Messages to be sent at most once: they leave after the commit and are not kept.
    pub(crate) passing: Vec<Message>,
    /// Roughly how large the records are, in bytes.
    pub(crate) bytes: usize,
    /// Messages that no broker has acknowledged.
    pub(crate) outbox: u64,
    /// Clips that nobody has made.
    pub(crate) clips: u64,
    /// Generations that nothing goes on with; their rows go a few with each commit.
    pub(crate) removals: VecDeque<Arc<SlotKey>>,
    /// Something is pending that must be durable before anyone outside hears of it.
    pub(crate) urgent: bool,
    /// Something is pending at all.
    pub(crate) dirty: bool,
}

/// What an accepted answer means for the fave or the event that it answers.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) faves: Vec<NewFave>,
    pub(crate) weight: Option<i64>,
    pub(crate) dropped: bool,
}

impl Pending {
    pub(crate) fn overlay(&mut self) -> &mut Overlay {
        self.overlay.as_mut().expect("the overlay is lent only while a guest runs")
    }

    pub(crate) fn record(&mut self, record: Record) {
        self.record_at(self.records.len(), || record);
    }

    /// Puts a record before what came of it. Nothing is made of it where there is no log.
    pub(crate) fn record_at(&mut self, place: usize, record: impl FnOnce() -> Record) {
        if self.is_logged {
            self.records.insert(place, record());
        }
        self.dirty = true;
    }

    pub(crate) fn fault(&mut self, slot: &Slot, now: u64, call: u32, fault: &Fault, event: &Event) {
        self.bytes += 500;
        if !self.is_logged {
            return;
        }
        self.overlay().kept.letters.push(Letter {
            at: now,
            channel: slot.key.channel.to_string(),
            slot: slot.key.slot.to_string(),
            digest: slot.rule.digest(),
            call,
            cause: fault.to_string(),
            event: event.clone(),
        });
        self.record(Record::Fault {
            now,
            channel: slot.key.channel.to_string(),
            slot: slot.key.slot.to_string(),
            digest: slot.rule.digest(),
            call,
            cause: fault.to_string(),
        });
    }

    /// Throws away the letters of a formula since then: the rule that is live again has answered those events, and would count them
    /// twice.
    pub(crate) fn forget_letters(&mut self, slot: &Slot, since: u64) -> Result<(), StoreError> {
        let digest = slot.rule.digest();
        let is_it = |letter: &Letter| {
            letter.channel == *slot.key.channel
                && letter.slot == *slot.key.slot
                && letter.digest == digest
                && letter.at >= since
        };
        let stored = self.overlay().snapshot().letters()?;
        let stored = stored.into_iter().filter(|(_, letter)| is_it(letter));
        let kept = &mut self.overlay().kept;
        kept.answered.extend(stored.map(|(number, _)| number));
        kept.letters.retain(|letter| !is_it(letter));
        Ok(())
    }

    /// Counts a fave. It is durable before anyone hears of it.
    pub(crate) fn count(&mut self, channel: &Arc<str>, fave: &Fave) -> Result<(), StoreError> {
        self.overlay().count(channel, fave)?;
        self.urgent = true;
        Ok(())
    }

    /// Nothing goes on with this generation.
    pub(crate) fn remove_later(&mut self, key: SlotKey) {
        let key = Arc::new(key);
        self.timers.forget(&key);
        self.removals.push_back(key);
        self.dirty = true;
    }

    /// Removes some rows of generations that nothing goes on with.
    pub(crate) fn remove_some(&mut self) -> Result<(), StoreError> {
        let Some(key) = self.removals.front().map(Arc::clone) else { return Ok(()) };
        let overlay = self.overlay();
        let entries = overlay.scan_state(&key, "", None, REMOVED_AT_ONCE)?;
        let alarms = overlay.alarms(&key)?;
        if entries.is_empty() && alarms.is_empty() {
            overlay.forget(&key);
            self.removals.pop_front();
            return Ok(());
        }
        for entry in entries {
            overlay.put_state(&key, entry.key, None);
        }
        for (name, _) in alarms {
            overlay.set_timer(&key, name, None);
        }
        Ok(())
    }

    /// Takes the effects of a call, whole. Whatever can refuse them has been asked before anything changes.
    pub(crate) fn take(
        &mut self,
        slot: &mut Slot,
        now: u64,
        effects: &[Effect],
    ) -> Result<Result<Verdict, Fault>, StoreError> {
        let usage = match self.fits(slot, effects)? {
            Ok(usage) => usage,
            Err(problem) => return Ok(Err(Fault::Effects(problem))),
        };
        slot.usage = usage;
        note_keys(slot, effects);
        let mut verdict = Verdict::default();
        for effect in effects {
            self.apply(slot, now, effect, &mut verdict)?;
        }
        self.dirty |= !effects.is_empty();
        Ok(Ok(verdict))
    }

    /// Whether the slot's state and timers stay within their limits, and its outputs are its own.
    fn fits(
        &mut self,
        slot: &Slot,
        effects: &[Effect],
    ) -> Result<Result<StateUse, String>, StoreError> {
        let limits = Arc::clone(&slot.rule.limits);
        let mut usage = slot.usage.clone();
        let mut sizes: Vec<(&str, Option<usize>)> = Vec::new();
        let (mut new_timers, mut messages, mut clips) = (0, 0, 0);
        let mut new_outputs: BTreeSet<&str> = BTreeSet::new();
        for effect in effects {
            match effect {
                Effect::Put(entry) => {
                    let before = self.size_of(slot, &entry.key, &sizes)?;
                    usage.replace(entry.key.len(), before, Some(entry.value.len()));
                    sizes.push((&entry.key, Some(entry.value.len())));
                }
                Effect::Delete(key) => {
                    let before = self.size_of(slot, key, &sizes)?;
                    usage.replace(key.len(), before, None);
                    sizes.push((key, None));
                }
                Effect::Wake(alarm)
                    if alarm.at.is_some() && !self.timers.is_set(&slot.key, &alarm.name) =>
                {
                    new_timers += 1;
                }
                Effect::Publish(message) if message.delivery == Delivery::AtLeastOnce => {
                    messages += 1;
                }
                Effect::Clip(_) => clips += 1,
                Effect::Show(output) => {
                    match self.overlay().output(&slot.key.channel, &output.name)? {
                        Some((owner, Some(_))) if owner != slot.key.slot => {
                            let name = &output.name;
                            return Ok(Err(format!(
                                "the output {name} belongs to the rule in slot {owner}"
                            )));
                        }
                        Some((owner, _)) if owner == slot.key.slot => {}
                        _ => drop(new_outputs.insert(&output.name)),
                    }
                }
                _ => {}
            }
        }
        if !new_outputs.is_empty()
            && self.overlay().outputs_of(&slot.key)? + new_outputs.len() > limits.outputs
        {
            return Ok(Err(format!("it would show more than {} outputs", limits.outputs)));
        }
        if clips > 0 && self.clips + clips > limits.clips {
            return Ok(Err(format!("{} clips wait to be made already", limits.clips)));
        }
        if usage.keys > limits.state_keys || usage.bytes > limits.state_bytes {
            let (keys, bytes) = (limits.state_keys, limits.state_bytes);
            return Ok(Err(format!("its state would have more than {keys} keys or {bytes} bytes")));
        }
        if messages > 0 && self.outbox + messages > limits.outbox {
            let most = limits.outbox;
            return Ok(Err(format!("{most} messages wait for a broker already")));
        }
        if new_timers > 0 && self.timers.count(&slot.key) + new_timers > limits.timers {
            return Ok(Err(format!("it would have more than {} timers", limits.timers)));
        }
        Ok(Ok(usage))
    }

    /// The size of a value as it will stand after the effects so far.
    fn size_of(
        &mut self,
        slot: &Slot,
        key: &str,
        sizes: &[(&str, Option<usize>)],
    ) -> Result<Option<usize>, StoreError> {
        match sizes.iter().rev().find(|(changed, _)| *changed == key) {
            Some((_, size)) => Ok(*size),
            None => Ok(self.overlay().state(&slot.key, key)?.map(|value| value.len())),
        }
    }

    fn apply(
        &mut self,
        slot: &Slot,
        now: u64,
        effect: &Effect,
        verdict: &mut Verdict,
    ) -> Result<(), StoreError> {
        let key = &slot.key;
        match effect {
            Effect::Put(entry) => {
                self.overlay().put_state(key, entry.key.clone(), Some(entry.value.clone()));
            }
            Effect::Delete(name) => self.overlay().put_state(key, name.clone(), None),
            Effect::Fave(fave) => verdict.faves.push(fave.clone()),
            Effect::Weigh(weight) => verdict.weight = Some(*weight),
            Effect::Drop => verdict.dropped = true,
            Effect::Show(output) => {
                // An empty text takes the output back.
                let text = Some(output.text.clone()).filter(|text| !text.is_empty());
                let shown = (Arc::clone(&key.slot), text);
                if self.overlay().output(&key.channel, &output.name)?.as_ref() != Some(&shown) {
                    self.overlay()
                        .outputs
                        .insert((Arc::clone(&key.channel), output.name.clone()), shown);
                    self.urgent = true;
                }
            }
            Effect::Publish(message) => {
                match message.delivery {
                    Delivery::AtLeastOnce => {
                        self.overlay().publish(message.clone());
                        self.outbox += 1;
                    }
                    Delivery::AtMostOnce => self.passing.push(message.clone()),
                }
                self.urgent = true;
            }
            Effect::Say(text) => {
                self.says.push(Say {
                    channel: Arc::clone(&key.channel),
                    text: text.clone(),
                    at: now,
                });
                self.urgent = true;
            }
            Effect::Wake(alarm) => {
                let at = alarm.at.map(|at| at.max(now + LEAST_WAIT));
                self.timers.set(key, &alarm.name, at);
                self.overlay().set_timer(key, alarm.name.clone(), at);
            }
            Effect::Clip(clip) => {
                self.overlay().clip(&key.channel, clip.clone());
                self.clips += 1;
                self.urgent = true;
            }
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
