//! Shadows: rules that run beside what is live, and only show what they would show.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use heat_engine::{Action, Changes, Handed, Library, Order, Outputs, Rule, Run, Seed, Standing};
use serde_json::{Value, json};
use tracing::{info, warn};

use super::deploy::standing_json;
use super::follow::{aside, follow};
use super::{Live, Refusal, Steps, Wanted};
use crate::clock::now;
use crate::queue::{Input, Tap};

/// How long the engine waits for what a shadow has made. It is hardly ever behind.
const PATIENCE: Duration = Duration::from_millis(500);

/// All shadows, by channel and slot.
#[derive(Default)]
pub(crate) struct Shadows(Mutex<BTreeMap<(String, String), Shadow>>);

/// A rule that runs beside what is live in its slot.
#[derive(Clone)]
pub(crate) struct Shadow {
    rule: Rule,
    since: u64,
    tap: Tap,
    seen: Arc<Mutex<Seen>>,
}

/// What a shadow has made so far.
#[derive(Default)]
struct Seen {
    events: u64,
    shown: BTreeMap<String, String>,
}

impl Shadows {
    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, String), Shadow>> {
        // Nothing in here panics, so a poisoned lock cannot be.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, channel: &str, slot: &str) -> Option<Shadow> {
        self.all().get(&(channel.to_owned(), slot.to_owned())).cloned()
    }

    fn end(&self, channel: &str, slot: &str) -> Option<Shadow> {
        self.all().remove(&(channel.to_owned(), slot.to_owned()))
    }

    /// Ends this shadow, if it is still the one of its slot.
    fn end_this(&self, channel: &str, slot: &str, seen: &Arc<Mutex<Seen>>) {
        let key = (channel.to_owned(), slot.to_owned());
        let mut all = self.all();
        if all.get(&key).is_some_and(|shadow| Arc::ptr_eq(&shadow.seen, seen)) {
            all.remove(&key);
        }
    }

    /// The shadows of a channel: slot and rule.
    fn of(&self, channel: &str) -> Vec<(String, Rule)> {
        let all = self.all();
        let mine = all.iter().filter(|((of, _), _)| of == channel);
        mine.map(|((_, slot), shadow)| (slot.clone(), shadow.rule.clone())).collect()
    }

    /// Adds what shadows show to what is shown.
    pub(crate) fn add_to(&self, outputs: &mut Outputs) {
        for ((channel, _), shadow) in &*self.all() {
            let seen = shadow.seen.lock().unwrap_or_else(PoisonError::into_inner);
            for (name, text) in &seen.shown {
                let key = (channel.as_str().into(), output(name));
                outputs.insert(key, Some(text.clone()).filter(|text| !text.is_empty()));
            }
        }
    }

    /// What is told of the shadow of a slot.
    pub(crate) fn told(&self, channel: &str, slot: &str) -> Option<Value> {
        let shadow = self.get(channel, slot)?;
        let description = shadow.rule.description();
        let seen = shadow.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Some(json!({
            "name": description.name,
            "version": description.version,
            "digest": shadow.rule.digest().to_string(),
            "since": shadow.since,
            "events": seen.events,
            "outputs": seen.shown,
        }))
    }
}

/// A shadow shows under names that no rule can have.
fn output(name: &str) -> String {
    format!("shadow/{name}")
}

impl Live {
    /// Lets a rule run beside what is live in its slot.
    pub(crate) fn shadow(&self, wanted: &Wanted, steps: &Steps) -> Result<Value, Refusal> {
        let (channel, slot) = (wanted.channel.clone(), wanted.slot.clone());
        let begun = self.ask(move |desk| desk.engine.look(&channel, &slot))??;
        let rule = self.rule(wanted, &begun, steps)?;
        begun.fits(&rule).map_err(Refusal::because)?;
        if self.shadows.get(&wanted.channel, &wanted.slot).is_some() {
            self.drop_shadow(&wanted.channel, &wanted.slot)?;
            info!(channel = wanted.channel, slot = wanted.slot, "the shadow before is dropped");
        }
        self.start_shadow(&wanted.channel, &wanted.slot, rule.clone())?;
        let description = rule.description();
        let done = format!(
            "{} {} runs beside slot {} of #{}; it shows {}/OUTPUT",
            description.name, description.version, wanted.slot, wanted.channel, "shadow"
        );
        let shadow = self.shadows.told(&wanted.channel, &wanted.slot);
        Ok(json!({ "done": done, "shadow": shadow }))
    }

    /// Begins the shadows of a channel anew, from what is live: they had followed what is taken back.
    pub(super) fn begin_shadows_anew(&self, channel: &str) -> Result<(), Refusal> {
        for (slot, rule) in self.shadows.of(channel) {
            self.drop_shadow(channel, &slot)?;
            self.start_shadow(channel, &slot, rule)?;
            info!(channel, slot, "the shadow begins anew, without what was taken back");
        }
        Ok(())
    }

    fn start_shadow(&self, channel: &str, slot: &str, rule: Rule) -> Result<(), Refusal> {
        let (channel, slot) = (channel.to_owned(), slot.to_owned());
        let name = channel.clone();
        let (snapshot, mut rules, tap, follower) = self.ask(move |desk| {
            let (tap, follower) = desk.taps.open(&name);
            let rules = desk.engine.rules(&name).unwrap_or_default();
            Ok((Arc::new(desk.engine.snapshot()?), rules, tap, follower))
        })?;
        // A slot that is off can have a shadow too.
        if !rules.iter().any(|(name, _)| *name == slot) {
            rules.push((slot.clone(), rule.clone()));
        }
        let seed = Seed::present(&snapshot, &channel, &rules)?;
        let library = Library::new(&self.sandbox, snapshot, &rules);
        let changes = Changes { rule: Some((slot.clone(), rule.clone())), ..Changes::default() };
        let mut run = Run::begin(seed, library, changes)?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shadow = Shadow { rule, since: now(), tap, seen: Arc::clone(&seen) };
        let before = self.shadows.all().insert((channel.clone(), slot.clone()), shadow);
        // Somebody else has begun one at the same time.
        if let Some(before) = before {
            self.ask(move |desk| {
                desk.taps.close(&before.tap);
                Ok(())
            })?;
        }
        let live = self.clone();
        let work = move || {
            let (mut told, mut named) = (true, BTreeSet::new());
            let note = |run: &mut Run, events: u64| {
                let shown = run.shown().get(&slot).cloned().unwrap_or_default();
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.events += events;
                let news = seen.shown != shown || !told;
                seen.shown = shown;
                drop(seen);
                told = !news || live.shadowed(&channel, run, &slot, &mut named);
                told
            };
            if let Err(error) = follow(&mut run, &follower, note) {
                warn!(channel, slot, %error, "the shadow cannot go on; it is dropped");
                live.shadows.end_this(&channel, &slot, &seen);
                live.tell_of_shadows();
            }
        };
        aside("shadow", work).map_err(Refusal::because)
    }

    /// Shows what a shadow shows. The engine is told the names, so that it takes them back when nobody else will any more.
    /// False when there is no room in the queue: then it has to be said again.
    fn shadowed(&self, channel: &str, run: &Run, slot: &str, named: &mut BTreeSet<String>) -> bool {
        let names = run.shown().get(slot).into_iter().flat_map(BTreeMap::keys);
        let new: Vec<String> = names.filter(|name| !named.contains(*name)).cloned().collect();
        let Some(inputs) = self.inputs.upgrade() else { return true };
        // Only for a new name, since before a task everything is committed. Waiting for room could take longer than a promotion
        // waits for this shadow.
        if !new.is_empty() {
            let (channel, outputs) = (channel.to_owned(), new.clone());
            let task = Input::task(Box::new(move |desk| {
                outputs.iter().for_each(|name| desk.engine.name_output(&channel, &output(name)));
                Ok(())
            }));
            if inputs.try_send(task).is_err() {
                return false;
            }
            named.extend(new);
        }
        inputs.try_send(Input::shadowed()).is_ok()
    }

    fn tell_of_shadows(&self) {
        if let Some(inputs) = self.inputs.upgrade() {
            let _ = inputs.blocking_send(Input::shadowed());
        }
    }

    /// Ends a shadow.
    pub(crate) fn drop_shadow(&self, channel: &str, slot: &str) -> Result<Value, Refusal> {
        let Some(shadow) = self.shadows.end(channel, slot) else { return Err(no_shadow(slot)) };
        self.ask(move |desk| {
            desk.taps.close(&shadow.tap);
            Ok(())
        })?;
        self.tell_of_shadows();
        Ok(json!({ "done": format!("the shadow of slot {slot} is dropped") }))
    }

    /// Ends every shadow of a channel that goes.
    pub(crate) fn drop_shadows(&self, channel: &str) -> Result<(), Refusal> {
        for (slot, _) in self.shadows.of(channel) {
            self.drop_shadow(channel, &slot)?;
        }
        Ok(())
    }

    /// Puts a shadow in the place of what is live, with the state that it has made.
    pub(crate) fn promote(&self, channel: &str, slot: &str, by: &str) -> Result<Value, Refusal> {
        let shadow = self.shadows.get(channel, slot).ok_or_else(|| no_shadow(slot))?;
        let order = Order::new(Action::Promote, by, "");
        let (name, of) = (channel.to_owned(), slot.to_owned());
        let (rule, tap) = (shadow.rule.clone(), shadow.tap);
        let standing = self.ask(move |desk| {
            let begun = match desk.engine.begin(&name, &of)? {
                Ok(begun) => begun,
                Err(refused) => return Ok(Err(Refusal::from(refused))),
            };
            let Some(handed) = hand_over(&tap, &of) else {
                desk.engine.give_up(&name, &of, begun.ticket());
                let problem = "the shadow is behind what happens; try again in a moment";
                return Ok(Err(Refusal::because(problem)));
            };
            let flipped = desk.engine.flip(begun.handed(rule, handed), &order)?;
            Ok(flipped.map_err(Refusal::from).map(|()| {
                let standings = desk.engine.standings();
                standings.into_iter().find(|it| it.channel == name && it.slot == of)
            }))
        })?;
        let outcome = if standing.is_ok() { "done" } else { "refused" };
        self.metrics.swapped(slot, "promote", outcome);
        let standing: Standing = standing?.ok_or(Refusal::Gone)?;
        self.drop_shadow(channel, slot)?;
        let done = format!(
            "the shadow is live in slot {slot} of #{channel}, with the state that it has made"
        );
        Ok(json!({ "done": done, "standing": standing_json(&standing) }))
    }
}

/// What a shadow has made of everything so far. The engine waits for it.
fn hand_over(tap: &Tap, slot: &str) -> Option<Handed> {
    let (answer, handed) = std::sync::mpsc::sync_channel(1);
    let slot = slot.to_owned();
    let asked = tap.ask(Box::new(move |run| {
        let made = run.hand_over(&slot)?;
        // The engine may have lost its patience.
        let _ = answer.send(made);
        Ok(())
    }));
    if !asked {
        return None;
    }
    handed.recv_timeout(PATIENCE).ok().flatten()
}

fn no_shadow(slot: &str) -> Refusal {
    Refusal::because(format!("nothing runs beside slot {slot}; `heat rules shadow FILE` begins it"))
}
