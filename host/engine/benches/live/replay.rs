//! How fast a log is run again with other settings, as heatd does it: alone, and beside what was live. The floor is reading the log.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use heat_engine::{Changes, Engine, Library, Record, Rule, Run, RunError, Seed, Snapshot};
use heat_tests::figures::{Figure, Samples};

use crate::stage::{CHANNEL, START, Stage, chat};
use crate::{Setup, progress, recorded};

/// How many records one part has that the two runs of heatd take turns with.
const PART: usize = 2_000;

/// How many records heatd commits at once at most.
const GROUP: u64 = 4_096;

/// How many milliseconds lie between two lines: a large channel.
const PAUSE_MS: u64 = 50;

/// A chain, and the slot whose rule the candidate has with another setting.
pub(crate) struct Case {
    name: &'static str,
    rules: &'static [&'static str],
    slot: &'static str,
    setting: (&'static str, &'static str),
}

/// Rules that are called for every line, and rules that are called for faves.
pub(crate) const CASES: [Case; 4] = [
    Case { name: "crowd", rules: &["crowd"], slot: "crowd", setting: ("window", "50s") },
    Case { name: "combo", rules: &["combo"], slot: "combo", setting: ("output", "streak") },
    Case { name: "hype-clip", rules: &["hype-clip"], slot: "hype-clip", setting: ("bucket", "5s") },
    Case {
        name: "fave, multiplier, decay",
        rules: &["fave", "multiplier", "decay"],
        slot: "decay",
        setting: ("half_life", "10s"),
    },
];

/// What a replay has to be fast enough for.
const TARGET: f64 = 50_000.0;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let stage = Stage::new(setup)?;
    let events = setup.pick(10_000, 200_000);
    for case in &CASES {
        progress(&format!("a log of {events} events for {}", case.name));
        let folder = tempfile::tempdir_in(&setup.scratch)?;
        let rules = case.rules(&stage)?;
        let mut engine = stage.engine(&folder.path().join("heat.redb"), &rules)?;
        for number in 0..events {
            engine.handle(START + number * PAUSE_MS, chat(number, 500))?;
            while let Some(at) = engine.next_wake().filter(|at| *at <= START + number * PAUSE_MS) {
                engine.fire(at)?;
            }
            if number % GROUP == GROUP - 1 {
                engine.commit()?;
            }
        }
        engine.commit()?;
        measure(&stage, case, &engine, &format!("{events} logged events"))?;
    }
    recorded::run(&stage)
}

impl Case {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn rules(&self, stage: &Stage<'_>) -> Result<Vec<(&'static str, Rule)>> {
        self.rules.iter().map(|name| Ok((*name, stage.rule(name, &[])?))).collect()
    }

    fn candidate(&self, stage: &Stage<'_>) -> Result<(String, Rule)> {
        Ok((self.slot.to_owned(), stage.rule(self.slot, &[self.setting])?))
    }
}

fn measure(stage: &Stage<'_>, case: &Case, engine: &Engine, what: &str) -> Result<()> {
    let (mut alone, mut pair, mut floor) =
        (Samples::default(), Samples::default(), Samples::default());
    let candidate = case.candidate(stage)?;
    for _ in 0..stage.setup.pick(1, 5) {
        let start = Instant::now();
        let log = Log::read(engine)?;
        floor.push(log.events as f64 / start.elapsed().as_secs_f64());
        let start = Instant::now();
        let log = Log::read(engine)?;
        let mut run = log.begin(stage, engine, Some(candidate.clone()))?;
        follow(&mut run, &log.records)?;
        alone.push(log.events as f64 / start.elapsed().as_secs_f64());
        let start = Instant::now();
        let log = Log::read(engine)?;
        let mut live = log.begin(stage, engine, None)?;
        let mut other = log.begin(stage, engine, Some(candidate.clone()))?;
        both(&mut live, &mut other, &log.records)?;
        pair.push(log.events as f64 / start.elapsed().as_secs_f64());
        let faves = engine.snapshot()?.channel_tally(CHANNEL)?.faves;
        ensure!(live.tally()?.faves == faves, "the replay counted other faves than what was live");
    }
    let floor_is = "the log read and unpacked, nothing run";
    for (name, rates) in [("one run", &alone), ("what was live and a candidate", &pair)] {
        let name = format!("replay of {what} with {}, {name}", case.name);
        Figure::median("replay", &name, "/s", rates)
            .floor(floor_is, floor.median())
            .target("≥ 50,000 /s", rates.median() >= TARGET)
            .print()?;
    }
    Ok(())
}

/// The log of an engine, as heatd reads it before a replay.
pub(crate) struct Log {
    snapshot: Arc<Snapshot>,
    seed: Seed,
    pub(crate) records: Vec<Record>,
    pub(crate) events: u64,
}

impl Log {
    pub(crate) fn read(engine: &Engine) -> Result<Self> {
        let snapshot = Arc::new(engine.snapshot()?);
        let first = snapshot.first_checkpoint(CHANNEL)?.context("the log has no checkpoint")?;
        let mut records = Vec::new();
        let tell = |record| records.push(record);
        let seed = Seed::checkpoint_with_log(&snapshot, CHANNEL, first, tell)?;
        let seed = seed.context("the log has no checkpoint")?;
        let events = records.iter().filter(|it| matches!(it, Record::Event { .. })).count() as u64;
        Ok(Self { snapshot, seed, records, events })
    }

    pub(crate) fn begin(
        &self,
        stage: &Stage<'_>,
        engine: &Engine,
        rule: Option<(String, Rule)>,
    ) -> Result<Run> {
        let rules = engine.rules(CHANNEL).unwrap_or_default();
        let library = Library::new(&stage.sandbox, Arc::clone(&self.snapshot), &rules);
        let changes = Changes { rule, ..Changes::default() };
        Ok(Run::begin(self.seed.clone(), library, changes)?)
    }
}

pub(crate) fn follow(run: &mut Run, records: &[Record]) -> Result<(), RunError> {
    records.iter().try_for_each(|record| run.follow(record).map(drop))
}

/// Two runs side by side, as heatd plays them.
pub(crate) fn both(one: &mut Run, other: &mut Run, records: &[Record]) -> Result<()> {
    for part in records.chunks(PART) {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| follow(one, part));
            follow(other, part)?;
            thread.join().unwrap_or(Ok(()))
        })?;
    }
    Ok(())
}

/// Replays a recording from nothing, as `heat replay --recording` does.
pub(crate) fn from_nothing(
    stage: &Stage<'_>,
    file: &Path,
    case: &Case,
    records: &[Record],
) -> Result<f64> {
    let engine = stage.engine(file, &case.rules(stage)?)?;
    let rules = engine.rules(CHANNEL).unwrap_or_default();
    let snapshot = Arc::new(engine.snapshot()?);
    let at = records.first().map_or(START, Record::at);
    let begin = |rule: Option<(String, Rule)>| {
        let library = Library::new(&stage.sandbox, Arc::clone(&snapshot), &rules);
        Run::begin(
            Seed::empty(CHANNEL, &rules, at),
            library,
            Changes { rule, ..Changes::default() },
        )
    };
    let candidate = case.candidate(stage)?;
    let start = Instant::now();
    let (mut live, mut other) = (begin(None)?, begin(Some(candidate))?);
    both(&mut live, &mut other, records)?;
    Ok(records.len() as f64 / start.elapsed().as_secs_f64())
}
