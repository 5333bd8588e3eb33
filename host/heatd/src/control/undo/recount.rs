//! A run over the log without what is taken back, which follows what happens meanwhile, and is made live.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use heat_engine::wit::Fave;
use heat_engine::{Action, Changes, Library, Order, Record, Rule, Run, Seed, Snapshot, Undo};
use tracing::warn;

use super::{Changed, PATIENCE};
use crate::control::follow::{aside, catch_up, follow};
use crate::control::{Live, Refusal, Steps};
use crate::queue::{Follower, Tap};

/// What is counted again.
pub(super) struct Recount<'a> {
    pub(super) live: &'a Live,
    pub(super) channel: &'a str,
    pub(super) undo: &'a Undo,
    /// When the first of it happened, in milliseconds since 1970.
    pub(super) first: u64,
    pub(super) by: &'a str,
    pub(super) steps: &'a Steps,
}

/// What the run begins from and follows.
struct Present {
    snapshot: Arc<Snapshot>,
    rules: Vec<(String, Rule)>,
    tap: Tap,
    follower: Follower,
}

impl Recount<'_> {
    /// Says what would be otherwise, or makes it so. None: the log has no checkpoint before it.
    pub(super) fn make(&self, preview: bool) -> Result<Option<Changed>, Refusal> {
        let name = self.channel.to_owned();
        let present = self.live.ask(move |desk| {
            let (tap, follower) = desk.taps.open(&name);
            let rules = desk.engine.rules(&name).unwrap_or_default();
            Ok(Present { snapshot: Arc::new(desk.engine.snapshot()?), rules, tap, follower })
        })?;
        let tap = present.tap.clone();
        let done = self.run(present, preview);
        self.live.ask(move |desk| {
            desk.taps.close(&tap);
            Ok(())
        })?;
        done
    }

    fn run(&self, present: Present, preview: bool) -> Result<Option<Changed>, Refusal> {
        let Some((run, instead)) = self.replay(&present)? else { return Ok(None) };
        if preview {
            let Present { snapshot, rules, .. } = &present;
            return Ok(Some(differences(snapshot, self.channel, rules, &run)?));
        }
        self.adopt(run, instead, present).map(Some)
    }

    /// The run at the end of the log, and the faves that it has counted since the first of what is taken back.
    fn replay(&self, present: &Present) -> Result<Option<(Run, Vec<Fave>)>, Refusal> {
        let (undo, first, snapshot) = (self.undo, self.first, &present.snapshot);
        // One of the same millisecond may know of the first of them.
        let before = if undo.without.is_some() { first } else { first.saturating_sub(1) };
        let Some(seed) = Seed::checkpoint(snapshot, self.channel, before)? else {
            return Ok(None);
        };
        let (next, end) = (seed.next_record(), snapshot.next_record()?);
        let mut library = Library::new(&self.live.sandbox, Arc::clone(snapshot), &present.rules);
        library.without(undo.without);
        let left_out = undo.events.clone();
        let mut run = Run::begin(seed, library, Changes { left_out, ..Changes::default() })?;
        let mut instead = Vec::new();
        for block in snapshot.blocks(next)? {
            let (number, records) = block?;
            self.steps.progress("replay", number.saturating_sub(next), end.saturating_sub(next));
            for record in &records {
                let decisions = run.follow(record)?;
                if record.at() >= first {
                    instead.extend(decisions.into_iter().flat_map(|decision| decision.faves));
                }
            }
        }
        Ok(Some((run, instead)))
    }

    /// Gives the rules that are live the state of the run, between two events that both have seen.
    fn adopt(
        &self,
        mut run: Run,
        instead: Vec<Fave>,
        present: Present,
    ) -> Result<Changed, Refusal> {
        let Present { snapshot, tap, follower, .. } = present;
        // What the other rules make of the faves counts in the place of what was counted then.
        let facts = match self.undo.without {
            Some(_) => Some(facts_since(&snapshot, self.channel, self.first)?),
            None => None,
        };
        // The engine waits only for what happens from here on.
        catch_up(&mut run, &follower)?;
        let order = Order::new(Action::Undo, self.by, "counted again without that component");
        let (name, undo) = (self.channel.to_owned(), self.undo.clone());
        // The run follows on a thread of its own while the engine asks it.
        aside("undo", move || {
            if let Err(error) = follow(&mut run, &follower, |_, _| true) {
                warn!(%error, "the run without what is taken back cannot go on");
            }
        })
        .map_err(Refusal::because)?;
        self.live.ask(move |desk| {
            let (answer, made) = sync_channel(1);
            let asked = tap.ask(Box::new(move |run| {
                // The engine may have lost its patience.
                let _ = answer.send(run.hand_over_all()?);
                Ok(())
            }));
            let made = asked.then(|| made.recv_timeout(PATIENCE).ok()).flatten();
            let Some(states) = made else {
                let problem = "the counts are corrected, but the run is behind what happens, so the rules' state is not; try again";
                return Ok(Err(Refusal::because(problem)));
            };
            if let Some(facts) = facts {
                desk.engine.correct(&undo, facts, instead, &order)?;
            }
            Ok(Ok(desk.engine.adopt(&name, states)?))
        })?
    }
}

/// The faves that were counted since, and not taken back.
fn facts_since(snapshot: &Snapshot, channel: &str, since: u64) -> Result<Vec<Fave>, Refusal> {
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
pub(in crate::control) fn differences(
    snapshot: &Snapshot,
    channel: &str,
    rules: &[(String, Rule)],
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
