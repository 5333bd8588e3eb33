//! Why an output shows what it shows: a run over the log since the last checkpoint that replaces nothing, and what it saw.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::contract::digest::Digest;
use crate::contract::event::{kind_of, person_of};
use crate::contract::{Effect, Person};
use crate::error::StoreError;
use crate::guest::rule::Rule;
use crate::guest::sandbox::Sandbox;
use crate::run::error::RunError;
use crate::run::library::Library;
use crate::run::seed::Seed;
use crate::run::{Changes, Run};
use crate::store::record::Record;
use crate::store::snapshot::Snapshot;

/// How long before now the run begins at least, in milliseconds, if the store goes back that far.
const AT_LEAST_MS: u64 = 600_000;

/// One change of an output.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// The slot that showed it.
    pub slot: String,
    /// Its component.
    pub digest: Digest,
    /// The event behind it: its id, and the person if it has one. A timer has an id alone.
    pub event: String,
    /// Who was behind the event.
    pub person: Option<Person>,
    /// What kind of event it was.
    pub kind: &'static str,
    /// Faves that the event brought, in thousandths.
    pub weight: i64,
    /// What the output showed before.
    pub before: Option<String>,
    /// What it showed then.
    pub after: String,
}

/// The last changes of an output, oldest first, and when the run began. None: the log does not go back to any checkpoint.
pub fn why(
    sandbox: &Arc<Sandbox>,
    snapshot: Arc<Snapshot>,
    channel: &str,
    rules: &[(String, Rule)],
    output: &str,
    most: usize,
) -> Result<Option<(u64, Vec<Cause>)>, RunError> {
    let now = snapshot.newest()?;
    let long_ago = now.saturating_sub(AT_LEAST_MS);
    let seed = match Seed::checkpoint(&snapshot, channel, long_ago)? {
        Some(seed) => seed,
        None => match oldest(&snapshot, channel)? {
            Some(seed) => seed,
            None => return Ok(None),
        },
    };
    let (begins, next) = (seed.at(), seed.next_record());
    let blocks = snapshot.blocks(next)?;
    let library = Library::new(sandbox, snapshot, rules);
    let mut run = Run::begin(seed, library, Changes { exact: true, ..Changes::default() })?;
    let mut causes = VecDeque::new();
    for block in blocks {
        for record in block?.1 {
            let mut before = run.text_of(output).map(str::to_owned);
            for decision in run.follow(&record)? {
                for answer in &decision.answers {
                    let Ok(effects) = &answer.outcome else { continue };
                    let shown = effects.iter().rev().find_map(|effect| match effect {
                        Effect::Show(shown) if shown.name == output => Some(shown.text.clone()),
                        _ => None,
                    });
                    let Some(after) = shown.filter(|after| Some(after) != before.as_ref()) else {
                        continue;
                    };
                    if causes.len() == most {
                        causes.pop_front();
                    }
                    let (event, person, kind) = origin(&record);
                    causes.push_back(Cause {
                        at: record.at(),
                        slot: answer.slot.to_string(),
                        digest: run.digest_of(&answer.slot).unwrap_or(Digest([0; 32])),
                        event,
                        person,
                        kind,
                        weight: decision.faves.iter().map(|fave| fave.weight).sum(),
                        before: before.replace(after.clone()),
                        after,
                    });
                }
            }
        }
    }
    Ok(Some((begins, causes.into())))
}

fn oldest(snapshot: &Snapshot, channel: &str) -> Result<Option<Seed>, StoreError> {
    match snapshot.first_checkpoint(channel)? {
        Some(at) => Seed::checkpoint(snapshot, channel, at),
        None => Ok(None),
    }
}

/// The id of what a record is about, who was behind it, and what it was.
fn origin(record: &Record) -> (String, Option<Person>, &'static str) {
    match record {
        Record::Event { event, .. } | Record::Retried { event, .. } => {
            (event.id.clone(), person_of(event), kind_of(event))
        }
        Record::Timer { slot, name, .. } => (format!("{slot}:{name}"), None, "timer"),
        _ => (String::new(), None, "change"),
    }
}
