//! A slot: one rule at its place in a channel's chain, with its live instance, and the state it starts from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, warn};

use crate::chain::breaker::Breaker;
use crate::chain::migration::Migration;
use crate::chain::pending::{Pending, Verdict};
use crate::chain::rate_limit::RateLimiter;
use crate::chain::usage::StateUse;
use crate::contract::digest::Digest;
use crate::contract::effects::check_for;
use crate::contract::{Effect, Event, Role};
use crate::error::{CallError, Fault, SlotError, StoreError};
use crate::guest::Guest;
use crate::guest::rule::Rule;
use crate::guest::sandbox::Sandbox;
use crate::store::changes::{AddedSlot, Status};
use crate::store::tables::SlotKey;

/// What is written in a slot since a swap has begun there.
pub(crate) struct DirtyKeys {
    /// Whose it is: a swap that was left behind by another change must not take it.
    pub(crate) ticket: u64,
    pub(crate) keys: BTreeSet<String>,
}

pub(crate) struct Slot {
    pub(crate) key: Arc<SlotKey>,
    pub(crate) rule: Rule,
    pub(crate) usage: StateUse,
    pub(crate) breaker: Breaker,
    /// What the configuration says of the slot; none in a run.
    pub(crate) base: Option<Digest>,
    /// The slot was added while running.
    pub(crate) added: Option<AddedSlot>,
    /// The rule before, which goes on over its own state while this one is on probation.
    pub(crate) standby: Option<Box<Slot>>,
    /// It is live since somebody went back to it: the standby is what was live later.
    pub(crate) rolled_back: bool,
    /// Keys that were written since a swap began.
    pub(crate) noted: Option<DirtyKeys>,
    /// What a standby would show.
    pub(crate) hidden_outputs: BTreeMap<String, String>,
    rate_limit: RateLimiter,
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
    pub outcome: Result<Vec<Effect>, Fault>,
    /// What the call has cost.
    pub cost: Cost,
}

/// What a call has cost, with the start of an instance for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// wasmtime's fuel, of the call alone.
    pub fuel: u64,
    /// None where the sandbox has no clock.
    pub took: Option<Duration>,
    /// It took more of the processor's time than a call should.
    pub is_slow: bool,
}

impl Slot {
    /// A slot that goes on with this state.
    pub(crate) fn new(key: Arc<SlotKey>, rule: Rule, usage: StateUse, breaker: Breaker) -> Self {
        Self {
            key,
            rule,
            usage,
            breaker,
            base: None,
            added: None,
            standby: None,
            rolled_back: false,
            noted: None,
            hidden_outputs: BTreeMap::new(),
            rate_limit: RateLimiter::default(),
            guest: None,
        }
    }

    /// Takes over the state of this slot, rewritten by the rule when its state version has risen.
    pub(crate) fn open(
        sandbox: &Sandbox,
        key: SlotKey,
        rule: Rule,
        status: Status,
        pending: &mut Pending,
        now: u64,
    ) -> Result<Self, SlotError> {
        let snapshot = pending.overlay().snapshot();
        let generations = snapshot.generations(&key.channel, &key.slot)?;
        let owner = snapshot.owner(&key.channel, &key.slot)?;
        let breaker = Breaker::new(status, now);
        let description = rule.description();
        let (version, name) = (description.state_version, description.name.clone());
        let Some(owner) = owner else {
            pending.overlay().admin_rows().own(&key, version, &name);
            return Ok(Self::new(Arc::new(key), rule, StateUse::default(), breaker));
        };
        // The state of the slot is taken over where its owner was the same rule. A rule of another name begins with nothing.
        let before = Arc::new(SlotKey { generation: owner.generation, ..key.clone() });
        let migration = Migration::of(sandbox, &rule, &owner)?;
        // A migrated state gets a generation of its own: if the process dies before the commit, the old one is still whole.
        let stays = migration.is_some() && owner.version == version;
        // Never a number that rows exist for, also of a swap that was left behind: its rows would be mixed with these.
        let newest = generations.iter().copied().max().unwrap_or(0).max(owner.generation);
        let generation = if stays { owner.generation } else { newest + 1 };
        let now_key = Arc::new(SlotKey { generation, ..key.clone() });
        let mut usage = StateUse::default();
        if let Some(mut migration) = migration {
            let entries = pending.overlay().scan_state(&before, "", None, usize::MAX)?;
            let moved = migration.all(&rule, entries)?;
            usage = moved.usage;
            if !stays {
                for entry in moved.entries.into_values().flatten() {
                    pending.overlay().put_state(&now_key, entry.key, Some(entry.value));
                }
            }
            // Timers are kept in the store while a slot is off, and fire once when it is on again.
            for (name, at) in pending.overlay().alarms(&before)? {
                pending.overlay().set_timer(&now_key, name.clone(), Some(at));
                if breaker.is_on() {
                    pending.timers.set(&now_key, &name, Some(at));
                }
            }
        }
        // Everything else that is stored of this slot belongs to nobody.
        let left = generations.into_iter().chain([owner.generation]);
        for generation in left.filter(|left| *left != generation).collect::<BTreeSet<_>>() {
            pending.remove_later(SlotKey { generation, ..key.clone() });
        }
        pending.overlay().admin_rows().own(&now_key, version, &name);
        Ok(Self::new(now_key, rule, usage, breaker))
    }

    /// Whether it runs something else than the configuration says.
    pub(crate) fn is_changed(&self) -> bool {
        let as_configured = self.rule.base().is_ok_and(|base| self.base == Some(base));
        !as_configured || !self.breaker.is_on() || self.added.is_some()
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
        let slot = Arc::clone(&self.key.slot);
        self.breaker.called();
        let started = sandbox.clock().map(|clock| (clock, clock()));
        let busy = sandbox.processor().map(|clock| (clock, clock()));
        let outcome = self.ask(sandbox, pending, now, event);
        let busy = busy.map(|(clock, before)| clock().saturating_sub(before));
        let cost = Cost {
            fuel: self.guest.as_ref().map_or(0, Guest::fuel_used),
            took: started.map(|(clock, started)| clock().saturating_sub(started)),
            is_slow: busy.is_some_and(|busy| self.note_time(now, busy, pending.is_logged())),
        };
        match outcome.and_then(|effects| self.accept(pending, now, effects, on_fave)) {
            Ok((effects, verdict)) => {
                Ok((Answer { slot, on_fave, outcome: Ok(effects), cost }, verdict))
            }
            Err(CallError::Store(error)) => Err(error),
            Err(CallError::Fault(fault)) => {
                let fault = fault.cut();
                // What it has in memory may be half done.
                self.guest = None;
                self.breaker.failed(now, &fault);
                let whose = (&*self.key, self.rule.digest());
                pending.fault(whose, now, number, &fault, event);
                Ok((Answer { slot, on_fave, outcome: Err(fault), cost }, Verdict::default()))
            }
        }
    }

    /// Takes what the live rule has answered.
    fn accept(
        &mut self,
        pending: &mut Pending,
        now: u64,
        effects: Vec<Effect>,
        on_fave: bool,
    ) -> Result<(Vec<Effect>, Verdict), CallError> {
        self.check(&effects, on_fave)?;
        self.rate_limit.fits(now, &effects, &self.rule.limits).map_err(Fault::Effects)?;
        let verdict = self.take(pending, now, &effects)?;
        self.note_shown(&effects);
        self.rate_limit.spend(&effects);
        Ok((effects, verdict))
    }

    /// Calls a rule that is not live. Of its answer only its own state and timers count; what it would show is kept for the day
    /// when it is live again.
    pub(crate) fn call_silently(
        &mut self,
        sandbox: &Sandbox,
        pending: &mut Pending,
        now: u64,
        event: &Event,
        on_fave: bool,
    ) -> Result<(), StoreError> {
        let outcome = self.ask(sandbox, pending, now, event);
        match outcome.and_then(|effects| self.accept_silently(pending, now, effects, on_fave)) {
            Ok(()) => Ok(()),
            Err(CallError::Store(error)) => Err(error),
            Err(CallError::Fault(fault)) => {
                self.guest = None;
                debug!(rule = &*self.key.slot, %fault, "the rule before failed; nobody sees it");
                Ok(())
            }
        }
    }

    fn accept_silently(
        &mut self,
        pending: &mut Pending,
        now: u64,
        mut effects: Vec<Effect>,
        on_fave: bool,
    ) -> Result<(), CallError> {
        self.check(&effects, on_fave)?;
        for effect in &effects {
            if let Effect::Show(output) = effect {
                self.hidden_outputs.insert(output.name.clone(), output.text.clone());
            }
        }
        effects.retain(|effect| {
            matches!(effect, Effect::Put(_) | Effect::Delete(_) | Effect::Wake(_))
        });
        self.take(pending, now, &effects).map(drop)
    }

    fn check(&self, effects: &[Effect], on_fave: bool) -> Result<(), Fault> {
        let (rule, role) = (&self.rule, self.role());
        check_for(effects, role, &rule.limits, &rule.interest.topics, on_fave)
            .map_err(Fault::Effects)
    }

    /// Notes what a call took of the processor's time. Returns whether that is too much.
    fn note_time(&mut self, now: u64, busy: Duration, is_logged: bool) -> bool {
        let limits = &self.rule.limits;
        let (slow_ms, faults) = (limits.slow_ms, limits.faults);
        if busy <= Duration::from_millis(slow_ms) {
            return false;
        }
        let took_ms = busy.as_millis();
        if is_logged {
            let (channel, rule) = (&*self.key.channel, &*self.key.slot);
            warn!(
                channel,
                rule,
                took_ms,
                slow_ms,
                faults,
                "a call of the rule was slow; as many within a minute turn it off"
            );
        }
        self.breaker.slow(
            now,
            format!(
                "a call took {took_ms} ms of the processor's time, and more than {slow_ms} is slow"
            ),
        );
        true
    }

    /// What a rule on probation shows itself is not taken back when it stays.
    fn note_shown(&mut self, effects: &[Effect]) {
        let Some(probation) = &mut self.breaker.probation else { return };
        for effect in effects {
            if let Effect::Show(output) = effect
                && !probation.shown.contains(&output.name)
            {
                probation.shown.insert(output.name.clone());
            }
        }
    }

    fn ask(
        &mut self,
        sandbox: &Sandbox,
        pending: &mut Pending,
        now: u64,
        event: &Event,
    ) -> Result<Vec<Effect>, CallError> {
        let limits = &self.rule.limits;
        let used = self.guest.take().filter(|guest| guest.calls() < limits.instance_events);
        let mut guest = match used {
            Some(guest) => guest,
            None => {
                let slot = Some(Arc::clone(&self.key));
                Guest::new(sandbox, self.rule.pre(), limits, &self.rule.settings, slot)?
            }
        };
        let lines = self.rate_limit.lines(now, limits);
        let (overlay, answer) = guest.handle(sandbox, pending.lend(), now, event, lines);
        pending.give_back(overlay);
        let (written, left_out) = guest.lines();
        if let Some(left_out) = self.rate_limit.wrote(now, written, left_out) {
            let (channel, rule) = (&*self.key.channel, &*self.key.slot);
            warn!(channel, rule, left_out, "lines of the rule are left out: it writes too many");
        }
        self.guest = Some(guest);
        answer
    }

    /// Ends the instance, if there is one: the next call gets another.
    pub(crate) fn end_instance(&mut self) {
        self.guest = None;
    }

    /// Ends the instances here that nobody has called since this time, in milliseconds since 1970.
    pub(crate) fn end_uncalled(&mut self, since: u64) {
        self.guest = self.guest.take().filter(|guest| guest.called_at() > since);
        if let Some(standby) = &mut self.standby {
            standby.end_uncalled(since);
        }
    }

    /// The instances here: when each was called last, and its memory in bytes.
    pub(crate) fn instances(&self) -> impl Iterator<Item = (u64, usize)> {
        let standby = self.standby.as_ref().and_then(|standby| standby.guest.as_ref());
        self.guest.iter().chain(standby).map(|guest| (guest.called_at(), guest.memory()))
    }
}
