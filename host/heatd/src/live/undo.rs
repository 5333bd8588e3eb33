//! Takes events back: the counts at once, then the state of all rules by a run since the last checkpoint before the first of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use heat_engine::{
    Action, Changes, Decision, Digest, Library, Order, Record, Run, Seed, Snapshot, Undo, Which,
    thousandths,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{info, warn};

use super::follow::{aside, catch_up, follow};
use super::{Live, Refusal, Steps};
use crate::decider::{Follower, Tap};

/// How long the engine waits for the run, which has followed it to the present.
const PATIENCE: Duration = Duration::from_secs(2);

/// What somebody wants taken back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Undone {
    /// An id or a login.
    user: Option<String>,
    /// Milliseconds since 1970.
    #[serde(default)]
    since: u64,
    event: Option<String>,
    /// A component in hexadecimal; its beginning will do.
    digest: Option<String>,
    #[serde(default)]
    preview: bool,
}

/// Output, before, after.
type Changed = Vec<(String, Option<String>, Option<String>)>;

impl Undone {
    /// What a moderator asks for.
    pub(crate) fn of_user(user: String, since: u64, preview: bool) -> Self {
        Self { user: Some(user), since, event: None, digest: None, preview }
    }

    fn which(&self, snapshot: &Snapshot) -> Result<Which, Refusal> {
        match (&self.user, &self.event, &self.digest) {
            (Some(user), None, None) => {
                Ok(Which::Person(user.trim_start_matches('@').to_lowercase()))
            }
            (None, Some(event), None) => Ok(Which::Event(event.clone())),
            (None, None, Some(digest)) => Ok(Which::Component(find(snapshot, digest)?)),
            _ => Err(Refusal::because("say one of `user`, `event` and `digest`")),
        }
    }
}

fn find(snapshot: &Snapshot, digest: &str) -> Result<Digest, Refusal> {
    let all = snapshot.components_like(digest)?;
    match all.as_slice() {
        [one] => Ok(*one),
        [] => Err(Refusal::Unknown(format!("no component {digest:?} was ever live"))),
        _ => Err(Refusal::because(format!("{digest:?} is the beginning of several components"))),
    }
}

impl Live {
    /// Takes events back, or says what that would change.
    pub(crate) fn undo(
        &self,
        channel: &str,
        wanted: &Undone,
        by: &str,
        steps: &Steps,
    ) -> Result<Value, Refusal> {
        // Nothing in here panics while it holds the lock, so a poisoned one cannot be.
        let _alone = self.undoing.lock().unwrap_or_else(PoisonError::into_inner);
        let present = self.present(channel)?;
        let which = wanted.which(&present.snapshot)?;
        if let Which::Component(digest) = which
            && present.rules.iter().any(|(_, rule)| rule.digest() == digest)
        {
            let problem = "that component is live; roll it back or deploy another first";
            return Err(Refusal::because(problem));
        }
        steps.step("recount");
        let undo = present.snapshot.undo(channel, &which, wanted.since)?;
        let Some(first) = undo.first else {
            let begins = undo.log_begins.map(|_| ", and the log does not go back further");
            let begins = begins.unwrap_or_default();
            return Err(Refusal::because(format!("there is nothing to take back{begins}")));
        };
        // What a component did is counted again at the end, when it is known what takes its place.
        if !wanted.preview && undo.without.is_none() {
            let (faves, order) = (undo.clone(), Order::new(Action::Undo, by, &note(&undo)));
            self.ask(move |desk| desk.engine.take_back_faves(&faves, &order))?;
            info!(channel, by, events = undo.events.len(), faves = undo.taken.len(), "taken back");
        }
        let changed = self.recount(channel, &undo, first, wanted.preview, by, steps)?;
        if undo.without.is_some() && changed.is_none() {
            let problem =
                "the log has no checkpoint from before that component was live; nothing is changed";
            return Err(Refusal::because(problem));
        }
        if !wanted.preview && changed.is_some() {
            self.begin_shadows_anew(channel)?;
        }
        Ok(told(channel, &undo, wanted.since, wanted.preview, changed))
    }

    /// Runs the log without what is taken back, and makes the result live. None: the log has no checkpoint before it.
    fn recount(
        &self,
        channel: &str,
        undo: &Undo,
        first: u64,
        preview: bool,
        by: &str,
        steps: &Steps,
    ) -> Result<Option<Changed>, Refusal> {
        let name = channel.to_owned();
        let (snapshot, rules, tap, follower) = self.ask(move |desk| {
            let (tap, follower) = desk.taps.open(&name);
            let rules = desk.engine.rules(&name).unwrap_or_default();
            Ok((Arc::new(desk.engine.snapshot()?), rules, tap, follower))
        })?;
        let done =
            self.run(channel, undo, first, preview, by, steps, snapshot, &rules, &tap, follower);
        self.ask(move |desk| {
            desk.taps.close(&tap);
            Ok(())
        })?;
        done
    }

    #[expect(clippy::too_many_arguments, reason = "all of it is what the run is made of")]
    fn run(
        &self,
        channel: &str,
        undo: &Undo,
        first: u64,
        preview: bool,
        by: &str,
        steps: &Steps,
        snapshot: Arc<Snapshot>,
        rules: &[(String, heat_engine::Rule)],
        tap: &Tap,
        follower: Follower,
    ) -> Result<Option<Changed>, Refusal> {
        // One of the same millisecond may know of the first of them.
        let before = if undo.without.is_some() { first } else { first.saturating_sub(1) };
        let Some(seed) = Seed::checkpoint(&snapshot, channel, before)? else { return Ok(None) };
        let (next, end) = (seed.next_record(), snapshot.next_record()?);
        let mut library = Library::new(&self.sandbox, Arc::clone(&snapshot), rules);
        library.without(undo.without);
        let left_out = undo.events.clone();
        let mut run = Run::begin(seed, library, Changes { left_out, ..Changes::default() })?;
        let mut instead = Vec::new();
        for block in snapshot.blocks(next)? {
            let (number, records) = block?;
            steps.progress("replay", number.saturating_sub(next), end.saturating_sub(next));
            for record in &records {
                let decisions = run.follow(record)?;
                if record.at() >= first {
                    instead.extend(decisions.into_iter().flat_map(|it: Decision| it.faves));
                }
            }
        }
        if preview {
            return Ok(Some(differences(&snapshot, channel, rules, &run)?));
        }
        // What the other rules make of the faves counts in the place of what was counted then.
        let facts = undo.without.map(|_| facts_since(&snapshot, channel, first)).transpose()?;
        // The engine waits only for what happens from here on.
        catch_up(&mut run, &follower)?;
        let order = Order::new(Action::Undo, by, "counted again without that component");
        let (name, without) = (channel.to_owned(), undo.clone());
        let (tap, corrected) = (tap.clone(), facts);
        // The run follows on a thread of its own while the engine asks it.
        aside("undo", move || {
            if let Err(error) = follow(&mut run, &follower, |_, _| true) {
                warn!(%error, "the run without what is taken back cannot go on");
            }
        })
        .map_err(Refusal::because)?;
        let adopted = self.ask(move |desk| {
            let (answer, made) = sync_channel(1);
            let asked = tap.ask(Box::new(move |run| {
                let _ = answer.send(run.hand_over_all()?);
                Ok(())
            }));
            let made = asked.then(|| made.recv_timeout(PATIENCE).ok()).flatten();
            let Some(states) = made else {
                let problem = "the counts are corrected, but the run is behind what happens, so the rules' state is not; try again";
                return Ok(Err(Refusal::because(problem)));
            };
            if let Some(facts) = corrected {
                desk.engine.correct(&without, facts, instead, &order)?;
            }
            Ok(Ok(desk.engine.adopt(&name, states)?))
        })??;
        Ok(Some(adopted))
    }
}

/// The faves that were counted since, and not taken back.
fn facts_since(
    snapshot: &Snapshot,
    channel: &str,
    since: u64,
) -> Result<Vec<heat_engine::wit::Fave>, Refusal> {
    let mut facts = Vec::new();
    let mut undone = BTreeSet::new();
    for record in snapshot.records_since(since)? {
        match record {
            Record::Faves { channel: of, event, faves, .. } if of == channel => {
                facts.extend(faves.into_iter().map(|counted| (event.clone(), counted.fave)));
            }
            Record::Undone { channel: of, events, .. } if of == channel => undone.extend(events),
            _ => {}
        }
    }
    facts.retain(|(event, _)| !undone.contains(event));
    Ok(facts.into_iter().map(|(_, fave)| fave).collect())
}

/// What would be shown otherwise.
fn differences(
    snapshot: &Snapshot,
    channel: &str,
    rules: &[(String, heat_engine::Rule)],
    run: &Run,
) -> Result<Changed, Refusal> {
    let mut changed = Vec::new();
    for (slot, _) in rules {
        let before = snapshot.shown_by(channel, slot)?;
        let after = run.shown().get(slot).cloned().unwrap_or_default();
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let (was, is) = (before.get(name).cloned(), after.get(name).cloned());
            let is = is.filter(|text| !text.is_empty());
            if was != is {
                changed.push((name.clone(), was, is));
            }
        }
    }
    Ok(changed)
}

fn note(undo: &Undo) -> String {
    let (events, faves) = (undo.events.len(), undo.taken.len());
    format!("{events} events, {faves} faves")
}

fn told(channel: &str, undo: &Undo, asked: u64, preview: bool, changed: Option<Changed>) -> Value {
    let (events, faves) = (undo.events.len(), undo.taken.len());
    let weight: i64 = undo.taken.iter().map(|fave| fave.weight).sum();
    let verb = if preview { "would be taken back" } else { "are taken back" };
    let mut done = match undo.without {
        Some(_) if preview => {
            format!("what that component did in #{channel} would be done again by what is live now")
        }
        Some(_) => {
            format!("what that component did in #{channel} is done again by what is live now")
        }
        None => format!(
            "{events} events with {faves} faves (weight {}) {verb} in #{channel}",
            thousandths(weight)
        ),
    };
    let corrected = if changed.is_some() { "all" } else { "counts" };
    if changed.is_none() {
        done.push_str("; the log has no checkpoint as old, so only the counts are corrected, and the rules' own state is not");
    }
    if undo.log_begins.is_some() && asked > 0 {
        done.push_str("; the log begins later than that, and what was before stays counted");
    }
    let outputs: BTreeMap<String, Value> = changed
        .unwrap_or_default()
        .into_iter()
        .map(|(name, before, after)| (name, json!({ "before": before, "after": after })))
        .collect();
    json!({
        "done": done, "preview": preview, "events": events, "faves": faves, "weight": weight as f64 / 1000.0,
        "outputs": outputs, "corrected": corrected, "log_begins": undo.log_begins,
    })
}
