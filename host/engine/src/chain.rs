//! A channel's chain, and the three phases in which it decides on one event.

pub(crate) mod breaker;
pub(crate) mod migration;
pub(crate) mod pending;
mod rate_limit;
pub(crate) mod slot;
pub(crate) mod stream;
mod take;
pub(crate) mod timers;
pub(crate) mod usage;

use std::borrow::Cow;
use std::sync::Arc;

use tracing::{debug, warn};

use crate::chain::pending::{Pending, Verdict};
use crate::chain::slot::{Answer, Slot};
use crate::contract::effects::effect_line;
use crate::contract::interest::Taken;
use crate::contract::{Effect, Event, Fave, Happening, NewFave, Role};
use crate::error::StoreError;
use crate::guest::sandbox::Sandbox;
use crate::store::record::{CountedFave, Record};
use crate::store::tables::SlotKey;

pub(crate) struct Channel {
    pub(crate) name: Arc<str>,
    /// In the configured order; the phases go through it one role at a time.
    pub(crate) slots: Vec<Slot>,
}

/// What came of one event.
#[derive(Debug, Default)]
pub struct Decision {
    /// Login of the channel.
    pub channel: Arc<str>,
    /// The event was taken in before: nothing happened.
    pub duplicate: bool,
    /// The calls that were made, in order.
    pub answers: Vec<Answer>,
    /// The faves that were counted, with their final weights.
    pub faves: Vec<Fave>,
}

/// Which slots an event is for.
#[derive(Clone, Copy)]
pub(crate) enum For<'a> {
    /// All that take it.
    Takers,
    /// The one that set the timer.
    Slot(&'a SlotKey),
    /// A retry: the slot, or an earlier rule in it, already got this event. It gets the form that its current rule takes; nothing if it
    /// takes none.
    Again(&'a SlotKey),
}

impl Channel {
    /// Handlers, multipliers, the count, formulas: in this order, over one overlay.
    pub(crate) fn decide(
        &mut self,
        sandbox: &Sandbox,
        pending: &mut Pending,
        now: u64,
        event: &Event,
        target: For<'_>,
    ) -> Result<Decision, StoreError> {
        let decision = Decision { channel: Arc::clone(&self.name), ..Decision::default() };
        pending.decides_on(&event.what);
        let mut run = Deciding { sandbox, pending, now, decision };
        let mut faves = Vec::new();
        for slot in of_role(&mut self.slots, Role::Handler) {
            let asked = run.on_event(slot, event, target)?;
            if asked.is_empty() {
                continue;
            }
            let by = (slot.key.slot.to_string(), slot.rule.digest());
            faves.extend(asked.into_iter().map(|fave| (by.clone(), fave)));
        }
        for slot in of_role(&mut self.slots, Role::Multiplier) {
            run.on_event(slot, event, target)?;
        }
        // Every fave goes through all multipliers before anything is counted, so that a multiplier never sees half of an event's faves.
        let mut counted = Vec::new();
        let mut facts = Vec::new();
        for (place, ((slot, digest), fave)) in (1..).zip(faves) {
            let Some(event) = run.weigh(&mut self.slots, event, fave, place)? else { continue };
            if let Happening::Fave(fave) = &event.what {
                facts.push(CountedFave { slot, digest, fave: fave.clone() });
            }
            counted.push((place, event));
        }
        for fact in &facts {
            run.pending.overlay().count(&self.name, &fact.fave)?;
            run.decision.faves.push(fact.fave.clone());
        }
        // Formulas come after the count: what they read of it includes this event.
        for slot in of_role(&mut self.slots, Role::Formula) {
            run.on_event(slot, event, target)?;
        }
        for (place, fave) in &counted {
            for slot in of_role(&mut self.slots, Role::Formula) {
                run.on_fave(slot, fave, *place)?;
            }
        }
        if !facts.is_empty() {
            let (channel, event) = (self.name.to_string(), event.id.clone());
            run.pending.record(Record::Faves { now, channel, event, faves: facts });
        }
        Ok(run.decision)
    }
}

fn of_role(slots: &mut [Slot], role: Role) -> impl Iterator<Item = &mut Slot> {
    slots.iter_mut().filter(move |slot| slot.role() == role && slot.breaker.is_on())
}

/// The event in the form in which a slot takes it; none when it is not for this slot.
pub(crate) fn taken<'a>(slot: &Slot, event: &'a Event, target: For<'_>) -> Option<Cow<'a, Event>> {
    match target {
        For::Slot(key) => (*slot.key == *key).then_some(Cow::Borrowed(event)),
        For::Again(key) => {
            if *slot.key != *key {
                return None;
            }
            match &event.what {
                Happening::Timer(_) => Some(Cow::Borrowed(event)),
                Happening::Fave(_) => {
                    slot.rule.interest.takes_faves().then_some(Cow::Borrowed(event))
                }
                Happening::Command(command) => {
                    let what = Happening::Chat(command.line.clone());
                    let line = Event { what, ..event.clone() };
                    let taken = taken(slot, &line, For::Takers)?.into_owned();
                    Some(Cow::Owned(taken))
                }
                _ => taken(slot, event, For::Takers),
            }
        }
        For::Takers => Some(match slot.rule.interest.taken(event)? {
            Taken::AsItIs => Cow::Borrowed(event),
            Taken::Command(command) => {
                let (id, channel, at) = (event.id.clone(), event.channel.clone(), event.at);
                Cow::Owned(Event { id, channel, at, what: Happening::Command(*command) })
            }
        }),
    }
}

/// One event on its way through the phases.
struct Deciding<'a> {
    sandbox: &'a Sandbox,
    pending: &'a mut Pending,
    now: u64,
    decision: Decision,
}

impl Deciding<'_> {
    /// Calls a slot for the event itself, if it is for it, and returns the faves that it asks for.
    fn on_event(
        &mut self,
        slot: &mut Slot,
        event: &Event,
        target: For<'_>,
    ) -> Result<Vec<NewFave>, StoreError> {
        if let Some(standby) = &mut slot.standby
            && let Some(event) = taken(standby, event, target)
        {
            standby.call_silently(self.sandbox, self.pending, self.now, &event, false)?;
        }
        match taken(slot, event, target) {
            Some(event) => Ok(self.call(slot, &event, 0)?.faves),
            None => Ok(Vec::new()),
        }
    }

    /// Calls a slot for a fave, if it takes faves.
    fn on_fave(
        &mut self,
        slot: &mut Slot,
        event: &Event,
        place: u32,
    ) -> Result<Option<Verdict>, StoreError> {
        if let Some(standby) = &mut slot.standby
            && standby.rule.interest.takes_faves()
        {
            standby.call_silently(self.sandbox, self.pending, self.now, event, true)?;
        }
        if !slot.rule.interest.takes_faves() {
            return Ok(None);
        }
        self.call(slot, event, place).map(Some)
    }

    /// Takes one fave through the multipliers. None when one of them drops it.
    fn weigh(
        &mut self,
        slots: &mut [Slot],
        cause: &Event,
        fave: NewFave,
        place: u32,
    ) -> Result<Option<Event>, StoreError> {
        let NewFave { person, standing, bits, item, weight } = fave;
        let what = Happening::Fave(Fave { person, standing, bits, item, weight });
        let mut event =
            Event { id: cause.id.clone(), channel: cause.channel.clone(), at: cause.at, what };
        for slot in of_role(slots, Role::Multiplier) {
            let Some(verdict) = self.on_fave(slot, &event, place)? else { continue };
            if verdict.dropped {
                return Ok(None);
            }
            if let (Some(weight), Happening::Fave(fave)) = (verdict.weight, &mut event.what) {
                fave.weight = weight;
            }
        }
        Ok(Some(event))
    }

    /// Calls a slot. `number` is 0 for the event itself and counts its faves from 1.
    fn call(&mut self, slot: &mut Slot, event: &Event, number: u32) -> Result<Verdict, StoreError> {
        let (answer, verdict) = slot.call(self.sandbox, self.pending, self.now, event, number)?;
        report(&event.channel, &event.id, &answer);
        self.decision.answers.push(answer);
        Ok(verdict)
    }
}

fn report(channel: &str, event: &str, answer: &Answer) {
    let rule = &*answer.slot;
    match &answer.outcome {
        Ok(effects) if effects.is_empty() => {}
        Ok(effects) => {
            debug!(channel, rule, event, effects = %Lines(effects), "rule answered");
        }
        Err(fault) => warn!(channel, rule, event, %fault, "rule failed; its effects are dropped"),
    }
}

/// Formats effects only when somebody reads the log line.
struct Lines<'a>(&'a [Effect]);

impl std::fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, effect) in self.0.iter().enumerate() {
            let separator = if place == 0 { "" } else { "; " };
            write!(f, "{separator}{}", effect_line(effect))?;
        }
        Ok(())
    }
}
