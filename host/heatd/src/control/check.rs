//! Checks a rule before it goes live: on the last stored events, with fresh and with reused instances. If nothing is stored, on its own cases.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heat_engine::cases::{Cast, Outcome, embedded, failures, judge, needs_faves};
use heat_engine::{Answer, Changes, Decision, Library, Record, Rule, Run, Sandbox, Seed, Snapshot};

use super::error::Error;
use super::handle::Present;
use super::progress::Progress;

/// How many records are tried at most, from the end of the log.
const MOST: usize = 20_000;

/// The longest time for a check. At least `LEAST` records are tried, however long they take.
const LONGEST: Duration = Duration::from_secs(4);
const LEAST: usize = 200;

/// Tries the rule in its slot. Returns on what it was tried, for people.
pub(super) fn check(
    sandbox: &Arc<Sandbox>,
    present: &Present,
    slot: &str,
    channel: &str,
    rule: &Rule,
    progress: &Progress,
) -> Result<String, Error> {
    let records = last_records(&present.snapshot, channel)?;
    let events = records.iter().filter(|it| matches!(it, Record::Event { .. })).count();
    if events == 0 {
        return own_cases(sandbox, &present.rules, rule, progress);
    }
    let mut pair = Pair::begin(sandbox, present, slot, channel, rule, records.front())?;
    let (started, of) = (Instant::now(), records.len());
    let mut failures = Vec::new();
    // The failures of the rule that was live, in the same events.
    let (mut tried, mut failures_before) = (0, 0);
    for (number, record) in records.iter().enumerate() {
        if number >= LEAST && started.elapsed() > LONGEST {
            break;
        }
        pair.follow(record, slot, &mut failures)?;
        tried += usize::from(matches!(record, Record::Event { .. }));
        failures_before += usize::from(is_fault_of(record, slot));
        if number % 500 == 0 {
            progress.part("check", number as u64, of as u64);
        }
    }
    if failures.len() > failures_before
        && let Some(first) = failures.first()
    {
        let count = failures.len();
        return Err(Error::because(format!(
            "it fails on {count} of the last {tried} events, which are in the log: {first}"
        )));
    }
    Ok(format!("the last {tried} events"))
}

fn is_fault_of(record: &Record, slot: &str) -> bool {
    matches!(record, Record::Fault { slot: of, .. } if of == slot)
}

/// The last records of a channel.
fn last_records(snapshot: &Snapshot, channel: &str) -> Result<VecDeque<Record>, Error> {
    let mut last = VecDeque::new();
    let from = snapshot.next_record()?.saturating_sub(4 * MOST as u64);
    for block in snapshot.blocks(from)? {
        for record in block?.1 {
            if record.channel() != channel || matches!(record, Record::Chain { .. }) {
                continue;
            }
            if last.len() == MOST {
                last.pop_front();
            }
            last.push_back(record);
        }
    }
    Ok(last)
}

/// The same rule twice: in one run each call has an instance of its own, in the other they share them.
struct Pair {
    alone: Run,
    together: Run,
}

impl Pair {
    fn begin(
        sandbox: &Arc<Sandbox>,
        present: &Present,
        slot: &str,
        channel: &str,
        rule: &Rule,
        first: Option<&Record>,
    ) -> Result<Self, Error> {
        let at = first.map_or(0, Record::at);
        let kept = Seed::checkpoint(&present.snapshot, channel, at)?;
        let run = |rule: Rule| -> Result<Run, Error> {
            let mut chain = present.rules.clone();
            // A slot that was off is tried too.
            if !chain.iter().any(|(name, _)| name == slot) {
                chain.push((slot.to_owned(), rule.clone()));
            }
            let seed = kept.clone().unwrap_or_else(|| Seed::empty(channel, &chain, at));
            let library = Library::new(sandbox, Arc::clone(&present.snapshot), &chain);
            let rule = Some((slot.to_owned(), rule));
            Ok(Run::begin(seed, library, Changes { rule, at_once: true, ..Changes::default() })?)
        };
        Ok(Self { alone: run(rule.for_groups_of(1))?, together: run(rule.clone())? })
    }

    fn follow(
        &mut self,
        record: &Record,
        slot: &str,
        failures: &mut Vec<String>,
    ) -> Result<(), Error> {
        let (alone, together) = (self.alone.follow(record)?, self.together.follow(record)?);
        let (alone, together) = (answers(&alone, slot), answers(&together, slot));
        failures.extend(
            together.iter().filter_map(|it| it.outcome.as_ref().err()).map(ToString::to_string),
        );
        let same = alone.len() == together.len()
            && alone.iter().zip(&together).all(|(one, other)| one.outcome == other.outcome);
        if same || !failures.is_empty() {
            return Ok(());
        }
        Err(Error::because(
            "it keeps state in a variable: it answers otherwise when its instance is new. An instance lives for a few events only; what has to stay goes into `put`",
        ))
    }
}

fn answers<'a>(decisions: &'a [Decision], slot: &str) -> Vec<&'a Answer> {
    decisions.iter().flat_map(|it| &it.answers).filter(|it| *it.slot == *slot).collect()
}

/// Plays the cases that the component brings along.
fn own_cases(
    sandbox: &Arc<Sandbox>,
    chain: &[(String, Rule)],
    rule: &Rule,
    progress: &Progress,
) -> Result<String, Error> {
    let cases = embedded(rule.bytes());
    if cases.is_empty() {
        return Ok(
            "nothing: no events are stored yet, and it brings no cases of its own".to_owned()
        );
    }
    let component = rule.component();
    // Faves come from the handlers of the chain.
    let companions = match needs_faves(component) {
        true => {
            let chain = chain.iter().map(|(_, rule)| rule.component());
            chain.filter(|it| !needs_faves(it)).take(1).cloned().collect()
        }
        false => Vec::new(),
    };
    let cast = Cast {
        sandbox: Arc::clone(sandbox),
        limits: (**rule.limits()).clone(),
        rule: Arc::clone(component),
        companions,
    };
    let of = cases.len();
    for (number, case) in cases.iter().enumerate() {
        progress.part("check", number as u64, of as u64);
        let name = &case.name;
        match judge(&cast, case).map_err(|error| Error::because(format!("{name}: {error}")))? {
            Outcome::KeepsState(lines) => {
                return Err(Error::because(format!(
                    "{name}: it keeps state in a variable: it answers otherwise when its instance is new\n{lines}"
                )));
            }
            Outcome::Different(played) if failures(&played) > 0 => {
                return Err(Error::because(format!("it fails in its own case {name}")));
            }
            Outcome::Different(_) | Outcome::AsWritten => {}
        }
    }
    Ok(format!("its own {of} cases, since no events are stored yet"))
}
