//! A run over the log without the events that are taken back. It follows what happens meanwhile, and the engine adopts its state.

use std::collections::BTreeSet;
use std::sync::Arc;

use heat_engine::wit::Fave;
use heat_engine::{Action, ChangeRequest, Changes, Library, Record, Run, Seed, Snapshot, Undo};

use crate::control::differences::{Changed, differences};
use crate::control::error::Error;
use crate::control::follow::Beginning;
use crate::control::handle::Control;
use crate::control::progress::Progress;

/// One undo, after its events are known.
pub(super) struct Recount<'a> {
    pub(super) live: &'a Control,
    pub(super) channel: &'a str,
    pub(super) undo: &'a Undo,
    /// When the first of its events happened, in milliseconds since 1970.
    pub(super) first: u64,
    pub(super) by: &'a str,
    pub(super) progress: &'a Progress,
}

/// What a recount has changed, or would.
pub(super) struct Recounted {
    pub(super) outputs: Changed,
    /// Slots whose state stays as it is, since the log does not tell of their rules.
    pub(super) untouched: Vec<String>,
}

impl Recount<'_> {
    /// Returns what changes, and unless it is a preview, makes it so. None: the log has no checkpoint from before.
    pub(super) fn make(&self, preview: bool) -> Result<Option<Recounted>, Error> {
        self.live.with_run(self.channel, |beginning| self.run(beginning, preview))
    }

    fn run(&self, beginning: Beginning, preview: bool) -> Result<Option<Recounted>, Error> {
        let Some((run, instead)) = self.replay(&beginning)? else { return Ok(None) };
        let slots = beginning.rules.iter().map(|(slot, _)| slot);
        let untouched = slots.filter(|slot| !run.has_slot(slot)).cloned().collect();
        let outputs = match preview {
            true => {
                let Beginning { snapshot, rules, .. } = &beginning;
                differences(snapshot, self.channel, rules, &run)?
            }
            false => self.adopt(run, instead, beginning)?,
        };
        Ok(Some(Recounted { outputs, untouched }))
    }

    /// Replays the log. Returns the run at its end, and the faves that it has counted since the first event that is taken back.
    fn replay(&self, beginning: &Beginning) -> Result<Option<(Run, Vec<Fave>)>, Error> {
        let (undo, first, snapshot) = (self.undo, self.first, &beginning.snapshot);
        // A checkpoint of the same millisecond may contain the first event.
        let before = if undo.without.is_some() { first } else { first.saturating_sub(1) };
        let Some(seed) = Seed::checkpoint(snapshot, self.channel, before)? else {
            return Ok(None);
        };
        let (next, end) = (seed.next_record(), snapshot.next_record()?);
        let mut library = Library::new(&self.live.sandbox, Arc::clone(snapshot), &beginning.rules);
        library.without(undo.without);
        let left_out = undo.events.clone();
        let mut run = Run::begin(seed, library, Changes { left_out, ..Changes::default() })?;
        let mut instead = Vec::new();
        for block in snapshot.blocks(next)? {
            let (number, records) = block?;
            self.progress.part("replay", number.saturating_sub(next), end.saturating_sub(next));
            for record in &records {
                let decisions = run.follow(record)?;
                if record.at() >= first {
                    instead.extend(decisions.into_iter().flat_map(|decision| decision.faves));
                }
            }
        }
        Ok(Some((run, instead)))
    }

    /// Gives the live rules the state of the run, between two events that both have seen.
    fn adopt(&self, run: Run, instead: Vec<Fave>, beginning: Beginning) -> Result<Changed, Error> {
        let Beginning { snapshot, subscription, subscriber, .. } = beginning;
        // These faves are replaced by what the rules of now make of the same events.
        let facts = match self.undo.without {
            Some(_) => Some(facts_since(&snapshot, self.channel, self.first)?),
            None => None,
        };
        let order =
            ChangeRequest::new(Action::Undo, self.by, "counted again without that component");
        let (name, undo) = (self.channel.to_owned(), self.undo.clone());
        let behind = "the counts are corrected, but the run is behind what happens, so the rules' state is not; try again";
        let (ends, behind) = ((subscription, subscriber), behind.to_owned());
        self.live.hand_over("undo.adopt", run, ends, behind, move |access, states| {
            if let Some(facts) = facts {
                access.engine.correct(&undo, facts, instead, &order)?;
            }
            access.engine.adopt(&name, states)
        })
    }
}

/// The faves that were counted since this time and not taken back.
fn facts_since(snapshot: &Snapshot, channel: &str, since: u64) -> Result<Vec<Fave>, Error> {
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
