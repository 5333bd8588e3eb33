//! A slot: one rule at its place in a channel's chain, with its live instance, and the state it starts from.

use std::sync::Arc;

use crate::contract::{Event, Role};
use crate::effects::{check, messages};
use crate::error::{Fault, LoadError, StoreError};
use crate::guest::Guest;
use crate::overlay::Overlay;
use crate::pace::Pace;
use crate::pending::{Pending, Verdict};
use crate::rule::Rule;
use crate::sandbox::Sandbox;
use crate::tables::SlotKey;
use crate::timers::Timers;

/// How much state a rule keeps in a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StateUse {
    pub(crate) keys: u64,
    /// Of keys and values.
    pub(crate) bytes: u64,
}

impl StateUse {
    /// Counts a value of a key that takes the place of another.
    pub(crate) fn replace(&mut self, key: usize, before: Option<usize>, after: Option<usize>) {
        if let Some(before) = before {
            self.keys -= 1;
            self.bytes -= (key + before) as u64;
        }
        if let Some(after) = after {
            self.keys += 1;
            self.bytes += (key + after) as u64;
        }
    }
}

pub(crate) struct Slot {
    pub(crate) key: Arc<SlotKey>,
    pub(crate) rule: Rule,
    pub(crate) usage: StateUse,
    pace: Pace,
    guest: Option<Guest>,
}

/// One call of a slot's rule: what it was for, and what came of it.
#[derive(Debug)]
pub struct Answer {
    /// Name of the slot.
    pub slot: Arc<str>,
    /// Whether the call was for a fave of the event, and not for the event itself.
    pub on_fave: bool,
    /// The effects, all of them taken, or why none was.
    pub outcome: Result<Vec<crate::contract::Effect>, Fault>,
}

impl Slot {
    /// Takes over the state of this slot, rewritten by the rule when its state version has risen.
    pub(crate) fn open(
        sandbox: &Sandbox,
        channel: &Arc<str>,
        name: &Arc<str>,
        rule: Rule,
        overlay: &mut Overlay,
        timers: &mut Timers,
    ) -> Result<Result<Self, LoadError>, StoreError> {
        let mut key =
            SlotKey { channel: Arc::clone(channel), slot: Arc::clone(name), generation: 0 };
        let version = rule.description().state_version;
        let found = overlay.snapshot().generation(&key)?;
        if let Some((generation, _)) = found {
            key.generation = generation;
        }
        let before = Arc::new(key.clone());
        let mut entries = overlay.scan_state(&before, "", None, usize::MAX)?;
        let alarms = overlay.alarms(&before)?;
        let rewritten = match found {
            Some((_, before)) if before > version => {
                let problem = format!(
                    "it is of state version {before}, and the component knows versions up to {version}"
                );
                return Ok(Err(LoadError::State(problem)));
            }
            Some((_, before)) if before < version => {
                match rule.migrate(sandbox, before, &entries) {
                    Ok(migrated) => Some(migrated),
                    Err(error) => return Ok(Err(error)),
                }
            }
            _ => None,
        };
        key.generation += u64::from(rewritten.is_some());
        let key = Arc::new(key);
        if let Some(migrated) = rewritten {
            // What was taken over is in the new generation, and the old one goes.
            for entry in &entries {
                overlay.put_state(&before, entry.key.clone(), None);
            }
            for (name, _) in &alarms {
                overlay.set_timer(&before, name.clone(), None);
            }
            for entry in &migrated {
                overlay.put_state(&key, entry.key.clone(), Some(entry.value.clone()));
            }
            for (name, at) in &alarms {
                overlay.set_timer(&key, name.clone(), Some(*at));
            }
            entries = migrated;
        }
        overlay.set_generation(&key, version);
        for (name, at) in alarms {
            timers.set(&key, &name, Some(at));
        }
        let bytes = entries.iter().map(|entry| (entry.key.len() + entry.value.len()) as u64).sum();
        let usage = StateUse { keys: entries.len() as u64, bytes };
        Ok(Ok(Self { key, rule, usage, pace: Pace::default(), guest: None }))
    }

    pub(crate) fn role(&self) -> Role {
        self.rule.description().role
    }

    /// Calls the rule for an event and takes its effects, or records why there are none.
    pub(crate) fn call(
        &mut self,
        sandbox: &Sandbox,
        pending: &mut Pending,
        now: u64,
        event: &Event,
        number: u32,
    ) -> Result<(Answer, Verdict), StoreError> {
        let on_fave = number > 0;
        let outcome = self.ask(sandbox, pending, now, event)?;
        let checked = outcome.and_then(|effects| {
            check(&effects, &self.rule, on_fave).map_err(Fault::Effects)?;
            let leaving = messages(&effects);
            self.pace.fits(now, leaving, &self.rule.limits).map_err(Fault::Effects)?;
            Ok(effects)
        });
        let taken = match checked {
            Ok(effects) => pending.take(self, now, &effects)?.map(|verdict| (effects, verdict)),
            Err(fault) => Err(fault),
        };
        let slot = Arc::clone(&self.key.slot);
        match taken {
            Ok((effects, verdict)) => {
                self.pace.spend(messages(&effects));
                Ok((Answer { slot, on_fave, outcome: Ok(effects) }, verdict))
            }
            Err(fault) => {
                let fault = fault.cut();
                self.guest = None;
                pending.fault(self, now, number, &fault);
                Ok((Answer { slot, on_fave, outcome: Err(fault) }, Verdict::default()))
            }
        }
    }

    fn ask(
        &mut self,
        sandbox: &Sandbox,
        pending: &mut Pending,
        now: u64,
        event: &Event,
    ) -> Result<Result<Vec<crate::contract::Effect>, Fault>, StoreError> {
        let limits = &self.rule.limits;
        let mut guest =
            match self.guest.take().filter(|guest| guest.calls() < limits.instance_events) {
                Some(guest) => guest,
                None => {
                    let slot = Some(Arc::clone(&self.key));
                    match Guest::new(sandbox, self.rule.pre(), limits, &self.rule.settings, slot) {
                        Ok(guest) => guest,
                        Err(fault) => return Ok(Err(fault)),
                    }
                }
            };
        let overlay = pending.overlay.take().expect("the overlay is lent only while a guest runs");
        let (overlay, answer) = guest.handle(sandbox, overlay, now, event);
        pending.overlay = Some(overlay);
        self.guest = Some(guest);
        answer
    }

    /// Ends the instance: its memory carries nothing over into the next group.
    pub(crate) fn end_group(&mut self) {
        self.guest = None;
    }
}
