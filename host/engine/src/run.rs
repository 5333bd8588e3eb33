//! A run: a copy of a channel's chain over state of its own, from which nothing is sent and nothing is kept.
//!
//! Everything that asks "what if" is a run with one thing replaced: a shadow has another rule and follows what happens, a replay has
//! another rule and follows the log, a simulation has made-up events, taking back leaves events out. A run is an [`Engine`] over a
//! store in memory, begun from a [`Seed`].

pub(crate) mod error;
mod forget;
pub(crate) mod library;
mod quiet;
mod recount;
pub(crate) mod seed;
pub(crate) mod why;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::chain::Decision;
use crate::contract::digest::Digest;
use crate::contract::event::person_in;
use crate::contract::{Effect, Event, Settings, Tally};
use crate::engine::request::{ChangeError, ChangeRequest, unless_rejected};
use crate::engine::swap::RuleState;
use crate::engine::{Chain, Engine};
use crate::error::StoreError;
use crate::guest::rule::Rule;
use crate::guest::sandbox::Sandbox;
use crate::run::error::RunError;
use crate::run::library::Library;
use crate::run::quiet::quietly;
use crate::run::seed::Seed;
use crate::store::changes::{Action, Status};
use crate::store::checkpoint::Checkpoint;
use crate::store::forget::who::Identity;
use crate::store::record::Record;
use crate::store::snapshot::Snapshot;

/// What a run replaces.
#[derive(Default)]
pub struct Changes {
    /// A slot's rule, whatever the log says was live there.
    pub rule: Option<(String, Rule)>,
    /// That rule is there from the beginning, also when its slot came later.
    pub at_once: bool,
    /// Events that did not happen, by id.
    pub left_out: BTreeSet<String>,
    /// A person whose events are left out.
    pub without: Option<Identity>,
    /// Timers fire as the log says, and not when the run's own come due: for a run that replaces nothing.
    pub exact: bool,
    /// What its rules say, and where they fail, goes into the log: for a run that follows what happens now.
    pub is_logged: bool,
}

/// A run under way.
pub struct Run {
    engine: Engine,
    channel: Arc<str>,
    library: Library,
    changes: Changes,
    /// What each slot has shown, the last text of each output.
    shown: BTreeMap<String, BTreeMap<String, String>>,
    /// States that rules go live with, by slot.
    handed: BTreeMap<String, RuleState>,
    /// Whether a rule is on probation, as of the last record.
    on_trial: bool,
}

impl Run {
    /// Begins a run from a seed, with what it replaces.
    pub fn begin(seed: Seed, library: Library, changes: Changes) -> Result<Self, RunError> {
        match changes.is_logged {
            true => Self::open(seed, library, changes),
            false => quietly(|| Self::open(seed, library, changes)),
        }
    }

    fn open(seed: Seed, mut library: Library, mut changes: Changes) -> Result<Self, RunError> {
        changes.left_out.extend(seed.undone.iter().cloned());
        library.forget(&seed.without);
        let channel: Arc<str> = seed.channel.as_str().into();
        let mut rules = Vec::new();
        let mut off = Vec::new();
        for state in &seed.slots {
            let replaced = changes.rule.as_ref().filter(|(slot, _)| *slot == state.slot);
            let rule = match replaced {
                Some((_, rule)) => rule.clone(),
                None => library.rule(&state.slot, state.digest, &state.settings)?,
            };
            rules.push((state.slot.clone(), rule));
            off.extend((!state.on && replaced.is_none()).then(|| state.slot.clone()));
        }
        // A rule for a slot that is not there yet comes when the log says so; one that no slot has, at once and after all others.
        if let Some((slot, rule)) = &changes.rule
            && !rules.iter().any(|(name, _)| name == slot)
            && (changes.at_once || !library.is_live(slot))
        {
            rules.push((slot.clone(), rule.clone()));
        }
        let (at, store) = (seed.at, seed.store()?);
        // What the other rule shows is its own, so the outputs of the live rule are not taken over.
        let is_replaced = |slot: &str| changes.rule.as_ref().is_some_and(|(it, _)| it == slot);
        let shown = seed.slots.iter().filter(|it| !is_replaced(&it.slot));
        let shown = shown.map(|it| (it.slot.clone(), it.shown.clone())).collect();
        let sandbox = Arc::clone(&library.sandbox);
        let chain = Chain { channel: seed.channel, rules };
        let mut engine = Engine::open_run(sandbox, store, chain, at)?;
        for slot in off {
            let order = ChangeRequest::new(Action::Disable, "run", "");
            unless_rejected(engine.set_status(&channel, &slot, Status::Disabled, &order))?;
        }
        Ok(Self {
            engine,
            channel,
            library,
            changes,
            shown,
            handed: BTreeMap::new(),
            on_trial: false,
        })
    }

    /// Begins a run from the present of a channel, with these rules in its slots.
    pub fn of_present(
        sandbox: &Arc<Sandbox>,
        snapshot: Arc<Snapshot>,
        channel: &str,
        rules: &[(String, Rule)],
        changes: Changes,
    ) -> Result<Self, RunError> {
        let seed = Seed::present(&snapshot, channel, rules)?;
        Self::begin(seed, Library::new(sandbox, snapshot, rules), changes)
    }

    /// Follows one record of the log, and says what the chain makes of it.
    ///
    /// Timers are the run's own: they fire when the log has come to their time.
    pub fn follow(&mut self, record: &Record) -> Result<Vec<Decision>, RunError> {
        self.quietly(|run| run.follow_record(record))
    }

    fn quietly<V>(&mut self, work: impl FnOnce(&mut Self) -> V) -> V {
        match self.changes.is_logged {
            true => work(self),
            false => quietly(|| work(self)),
        }
    }

    fn follow_record(&mut self, record: &Record) -> Result<Vec<Decision>, RunError> {
        if record.channel() != &*self.channel {
            return Ok(Vec::new());
        }
        let mut decisions = Vec::new();
        // A run that replaces nothing repeats the timers of the log, so that it sees exactly what was seen. Any other run has its own.
        match self.changes.exact {
            true => self.engine.advance_to(record.at())?,
            false => decisions = self.fire_until(record.at())?,
        }
        if self.on_trial && self.engine.next_probation_end().is_none() {
            // What only the rule before has shown is taken back then.
            self.refresh_all()?;
        }
        match record {
            Record::Timer { now, slot, name, .. } if self.changes.exact => {
                let fired = self.engine.fire_as_logged(*now, &self.channel, slot, name)?;
                decisions.extend(fired.map(|decision| self.seen(decision)));
            }
            Record::Event { now, event } => {
                if !self.is_left_out(event) {
                    let decision = self.engine.decide(*now, event)?;
                    decisions.push(self.seen(decision));
                }
            }
            Record::Retried { slot, event, .. } => {
                if !self.is_left_out(event)
                    && let Some(decision) = self.engine.call_again(&self.channel, slot, event)?
                {
                    decisions.push(self.seen(decision));
                }
            }
            Record::Handed { slot, entries, alarms, shown, .. } => {
                let (entries, alarms, shown) = (entries.clone(), alarms.clone(), shown.clone());
                self.handed.insert(slot.clone(), RuleState { entries, alarms, shown });
            }
            Record::Chain { slots, rolled_back, removed, .. } => {
                if let Some(removed) = removed {
                    let channel = Arc::clone(&self.channel);
                    self.engine.take_out(&channel, removed)?;
                    // A rule that comes into the slot later must find in the store that the slot has no owner.
                    self.engine.commit()?;
                    self.shown.insert(removed.clone(), BTreeMap::new());
                }
                self.exchange(slots, rolled_back.as_deref())?;
            }
            Record::Timer { .. }
            | Record::Fault { .. }
            | Record::Faves { .. }
            | Record::Undone { .. }
            | Record::Gap { .. }
            | Record::Imported { .. }
            | Record::Joined { .. }
            | Record::Emotes { .. } => {}
        }
        // What was counted elsewhere comes of no call of a rule, so it has to be added here.
        let without = &self.changes.without;
        let is_left_out = |person: &_| without.as_ref().is_some_and(|it| it.is(person));
        self.engine.count_elsewhere(&self.channel, record, is_left_out)?;
        self.on_trial = self.engine.next_probation_end().is_some();
        if self.engine.is_full() {
            self.engine.commit()?;
        }
        Ok(decisions)
    }

    fn is_left_out(&self, event: &Event) -> bool {
        let Changes { left_out, without, .. } = &self.changes;
        let theirs = |who: &Identity| person_in(&event.what).is_some_and(|person| who.is(person));
        left_out.contains(&event.id) || without.as_ref().is_some_and(theirs)
    }

    /// Takes note of rules that run now, and of which the next records may speak.
    pub fn learn(&mut self, live: &[(String, Rule)]) {
        self.library.learn(live);
    }

    /// Decides on an event that never happened.
    pub fn simulate(&mut self, now: u64, event: Event) -> Result<Decision, RunError> {
        self.quietly(|run| {
            let decision = run.engine.decide(now, &event)?;
            Ok(run.seen(decision))
        })
    }

    /// Lets time pass: every timer that comes due fires at its time.
    pub fn advance_to(&mut self, now: u64) -> Result<Vec<Decision>, RunError> {
        self.quietly(|run| run.fire_until(now))
    }

    fn fire_until(&mut self, now: u64) -> Result<Vec<Decision>, RunError> {
        let mut decisions = Vec::new();
        while let Some(at) = self.engine.next_wake().filter(|at| *at <= now) {
            for decision in self.engine.fire(at)? {
                decisions.push(self.seen(decision));
            }
        }
        Ok(decisions)
    }

    /// When the next timer comes due, in milliseconds since 1970.
    pub fn next_wake(&self) -> Option<u64> {
        self.engine.next_wake()
    }

    fn seen(&mut self, decision: Decision) -> Decision {
        for answer in &decision.answers {
            let Ok(effects) = &answer.outcome else { continue };
            for effect in effects {
                let Effect::Show(output) = effect else { continue };
                let known = self.shown.get_mut(&*answer.slot);
                match known.and_then(|shown| shown.get_mut(&output.name)) {
                    Some(text) => output.text.clone_into(text),
                    None => {
                        let shown = self.shown.entry(answer.slot.to_string()).or_default();
                        shown.insert(output.name.clone(), output.text.clone());
                    }
                }
            }
        }
        decision
    }

    /// What each slot shows: the last text of each output, by slot.
    pub fn shown(&self) -> &BTreeMap<String, BTreeMap<String, String>> {
        &self.shown
    }

    /// What an output shows.
    pub fn text_of(&self, output: &str) -> Option<&str> {
        self.shown.values().find_map(|shown| shown.get(output).map(String::as_str))
    }

    /// Whether it has this slot.
    pub fn has_slot(&self, slot: &str) -> bool {
        self.engine.running(&self.channel, slot).is_some()
    }

    /// The component that a slot runs.
    pub(crate) fn digest_of(&self, slot: &str) -> Option<Digest> {
        self.engine.running(&self.channel, slot).map(|it| it.digest)
    }

    /// What all slots have made.
    pub fn hand_over_all(&mut self) -> Result<BTreeMap<String, RuleState>, StoreError> {
        let mut all = BTreeMap::new();
        for slot in self.engine.slots(&self.channel) {
            if let Some(handed) = self.hand_over(&slot)? {
                all.insert(slot.to_string(), handed);
            }
        }
        Ok(all)
    }

    /// What all slots have, as a checkpoint keeps it.
    pub(crate) fn checkpoint(&mut self) -> Result<Checkpoint, StoreError> {
        let channel = Arc::clone(&self.channel);
        self.engine.checkpoint(&channel)
    }

    /// What has been counted in the channel.
    pub fn tally(&mut self) -> Result<Tally, StoreError> {
        self.engine.tally(&self.channel)
    }

    /// The rules as the log has them now.
    fn exchange(
        &mut self,
        slots: &[(String, Digest, Settings)],
        rolled_back: Option<&str>,
    ) -> Result<(), RunError> {
        let order = ChangeRequest::new(Action::Deploy, "run", "");
        self.add_slots(slots)?;
        for name in self.engine.slots(&self.channel) {
            let replaced = self.changes.rule.as_ref().is_some_and(|(slot, _)| *slot == *name);
            let listed = slots.iter().find(|(slot, ..)| *slot == *name);
            let Some(running) = self.engine.running(&self.channel, &name) else { continue };
            let channel = Arc::clone(&self.channel);
            match (listed, running.is_on) {
                (None, true) if !replaced => {
                    unless_rejected(self.engine.set_status(
                        &channel,
                        &name,
                        Status::Disabled,
                        &order,
                    ))?;
                    continue;
                }
                (Some(_), false) => {
                    unless_rejected(self.engine.set_status(&channel, &name, Status::On, &order))?;
                }
                _ => {}
            }
            let Some((_, now, with)) = listed.filter(|_| !replaced) else { continue };
            let rule = self.library.rule(&name, *now, with)?;
            if rule.digest() == running.digest && rule.settings == running.settings {
                continue;
            }
            // Read again: turning a slot on or off ends what went on beside it.
            let standby = self.engine.running(&channel, &name).and_then(|it| it.standby);
            let stands_by = standby
                .is_some_and(|(digest, settings)| digest == *now && settings == rule.settings);
            if rolled_back == Some(&*name) && stands_by {
                unless_rejected(self.engine.roll_back(&channel, &name, &order))?;
            } else {
                self.put(&name, rule, &order)?;
            }
            self.refresh(&name)?;
        }
        Ok(())
    }

    /// Adds the slots of the log that came later than the seed of the run.
    fn add_slots(&mut self, slots: &[(String, Digest, Settings)]) -> Result<(), RunError> {
        let mut after = None;
        for (name, digest, settings) in slots {
            if self.engine.running(&self.channel, name).is_none() {
                let replaced = self.changes.rule.as_ref().filter(|(slot, _)| slot == name);
                let rule = match replaced {
                    Some((_, rule)) => rule.clone(),
                    None => self.library.rule(name, *digest, settings)?,
                };
                let added = self.engine.add_logged_slot(&self.channel, name, rule, after);
                added.map_err(|error| RunError::of_slot(name, error))?;
                self.shown.entry(name.clone()).or_default();
            }
            after = Some(name.as_str());
        }
        Ok(())
    }

    fn refresh_all(&mut self) -> Result<(), StoreError> {
        let slots: Vec<String> = self.shown.keys().cloned().collect();
        slots.iter().try_for_each(|slot| self.refresh(slot))
    }

    /// What a slot shows after something else than its own answers has changed that.
    fn refresh(&mut self, slot: &str) -> Result<(), StoreError> {
        let shown = self.engine.shown_by(&self.channel, slot)?;
        self.shown.insert(slot.to_owned(), shown);
        Ok(())
    }

    fn put(&mut self, slot: &str, rule: Rule, order: &ChangeRequest) -> Result<(), RunError> {
        // What the run has decided is in its store before the state is taken from there.
        self.engine.commit()?;
        let failed = |problem: String| RunError::Rule { slot: slot.to_owned(), problem };
        let rejected = |error| match error {
            ChangeError::Rejected(problem) => failed(problem),
            ChangeError::Store(error) => error.into(),
        };
        let begun = self.engine.begin(&self.channel, slot).map_err(rejected)?;
        // A shadow has seen what is left out: where its rule can go on with the state before, it does.
        let as_it_was = self.changes.left_out.is_empty() || !begun.keeps_state(&rule);
        let swap = match self.handed.remove(slot) {
            Some(handed) if as_it_was => begun.handed(rule, handed),
            _ => {
                let swap = begun.prepare(&self.library.sandbox, rule);
                swap.map_err(|error| failed(error.to_string()))?
            }
        };
        self.engine.flip(swap, order).map_err(rejected)
    }

    /// What a slot has made: its state, its timers, what it shows.
    pub fn hand_over(&mut self, slot: &str) -> Result<Option<RuleState>, StoreError> {
        let Some((entries, alarms)) = self.engine.hand_over(&self.channel, slot)? else {
            return Ok(None);
        };
        let mut shown = self.shown.get(slot).cloned().unwrap_or_default();
        // An empty text takes an output back.
        shown.retain(|_, text| !text.is_empty());
        Ok(Some(RuleState { entries, alarms, shown }))
    }
}
