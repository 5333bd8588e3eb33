//! Swaps in a stream of events: that no event is lost, doubled or out of order, and how long events wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use heat_engine::{Action, ChangeRequest, Engine, Record, Rule};
use heat_tests::figures::{Figure, Samples};

use crate::desk::{self, Desk, Seen};
use crate::stage::{CHANNEL, START, Stage, chat, id, is_fave, said};
use crate::{Setup, builds, progress};

/// How many entries of a state are copied between two groups of events, as in heatd.
const ROWS: usize = 500;

/// What is swapped, and for what in turn.
struct Case {
    name: &'static str,
    rules: Vec<(&'static str, Rule)>,
    slot: &'static str,
    turns: Vec<Rule>,
    /// So many people have chatted before.
    crowd: u64,
    events_a_second: u64,
}

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let stage = Stage::new(setup)?;
    measure(setup, &stage, ordinary(&stage)?)?;
    measure(setup, &stage, large(&stage)?)
}

/// Other settings, another build, another rule.
fn ordinary(stage: &Stage<'_>) -> Result<Case> {
    let decay = stage.rule("decay", &[])?;
    let rebuilt = stage.component(&builds::another(&stage.bytes("decay")?, 1))?;
    Ok(Case {
        name: "other settings, another build, another rule in turn",
        rules: vec![("fave", stage.rule("fave", &[])?), ("heat", decay.clone())],
        slot: "heat",
        turns: vec![
            stage.rule("decay", &[("half_life", "3m")])?,
            stage.with(&rebuilt, &[("half_life", "3m")])?,
            stage.rule("totals-one", &[])?,
            decay,
        ],
        crowd: 0,
        events_a_second: 5_000,
    })
}

/// A state of 20,000 keys, four of which change with every line.
fn large(stage: &Stage<'_>) -> Result<Case> {
    let crowd = |window: &str| stage.rule("crowd", &[("window", window)]);
    Ok(Case {
        name: "other settings of a rule with 20,000 keys; every line changes four of them",
        rules: vec![("fave", stage.rule("fave", &[])?), ("crowd", crowd("1h")?)],
        slot: "crowd",
        turns: vec![crowd("59m")?, crowd("1h")?],
        crowd: 10_000,
        // Such a rule takes a while for each line, and a standby doubles it.
        events_a_second: 500,
    })
}

fn measure(setup: &Setup, stage: &Stage<'_>, case: Case) -> Result<()> {
    let (seconds, swaps) = match (setup.quick, case.crowd) {
        (true, 0) => (4, 12),
        (true, _) => (6, 3),
        (false, 0) => (60, 200),
        // Each takes some forty commits.
        (false, _) => (60, 20),
    };
    progress(&format!("{swaps} swaps in {seconds} s: {}", case.name));
    let folder = tempfile::tempdir_in(&setup.scratch)?;
    let mut engine = stage.engine(&folder.path().join("heat.redb"), &case.rules)?;
    let people = if case.crowd > 0 { case.crowd } else { 500 };
    for number in 0..case.crowd {
        engine.handle(START, said(number, people, "hello"))?;
    }
    engine.commit()?;
    let numbers = case.crowd..case.crowd + seconds * case.events_a_second;
    let (first, last) = (numbers.start, numbers.end);
    let (desk, thread) = desk::open(engine)?;
    let ended = Arc::new(AtomicBool::new(false));
    let swapper = {
        let (desk, ended, sandbox) = (desk.clone(), Arc::clone(&ended), Arc::clone(&stage.sandbox));
        let (slot, turns) = (case.slot, case.turns);
        let every = Duration::from_secs(seconds) / swaps;
        thread::spawn(move || -> Result<Vec<(Instant, Instant)>> {
            let (start, mut done) = (Instant::now(), Vec::new());
            for (number, rule) in (0..swaps).zip(turns.iter().cycle()) {
                let due = start + every * number;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let began = Instant::now();
                swap(&desk, &sandbox, slot, rule)?;
                done.push((began, Instant::now()));
            }
            Ok(done)
        })
    };
    desk::stream(&desk, numbers, case.events_a_second, |number| chat(number, people));
    ended.store(true, Ordering::Relaxed);
    let done = swapper.join().ok().context("the thread that swaps ended early")??;
    drop(desk);
    let (engine, seen) = thread.join().ok().context("the engine's thread ended early")??;
    check(&engine, first, last, done.len())?;
    let what = format!("{} events/s; {}", case.events_a_second, case.name);
    print(&what, swaps, &done, &seen)
}

/// As heatd swaps: begun on the engine's thread, prepared here, copied in parts, flipped between two events.
fn swap(
    desk: &Desk,
    sandbox: &Arc<heat_engine::Sandbox>,
    slot: &'static str,
    rule: &Rule,
) -> Result<()> {
    let begun = desk.ask(move |engine| engine.begin(CHANNEL, slot))?;
    let mut swap = begun.prepare(sandbox, rule.clone())?;
    let mut is_copied = false;
    while !is_copied {
        (swap, is_copied) = desk.ask(move |engine| {
            let is_copied = engine.copy(&mut swap, ROWS)?;
            Ok((swap, is_copied))
        })?;
    }
    let order = ChangeRequest::new(Action::Settings, "bench", "");
    let _swap = desk.ask(move |engine| {
        engine.flip_in_place(&mut swap, &order)?;
        Ok(swap)
    })?;
    Ok(())
}

/// An error unless every event is in the log once and in order, every fave is counted, and every swap is in the log.
fn check(engine: &Engine, first: u64, last: u64, swaps: usize) -> Result<()> {
    let snapshot = engine.snapshot()?;
    let (mut number, mut chains) = (0, 0);
    for block in snapshot.blocks(0)? {
        for record in block?.1 {
            match record {
                Record::Event { event, .. } => {
                    let due = id(number);
                    ensure!(event.id == due, "{} is in the log in the place of {due}", event.id);
                    number += 1;
                }
                Record::Chain { .. } => chains += 1,
                _ => {}
            }
        }
    }
    ensure!(number == last, "{number} of {last} events are in the log");
    ensure!(chains == swaps + 1, "{chains} chains are in the log, after {swaps} swaps");
    let (counted, due) = (
        snapshot.channel_tally(CHANNEL)?.faves,
        (first..last).filter(|number| is_fave(*number)).count() as u64,
    );
    ensure!(counted == due, "{counted} of {due} faves were counted");
    Ok(())
}

fn print(what: &str, wanted: u32, done: &[(Instant, Instant)], seen: &Seen) -> Result<()> {
    let figure = |name: &str, unit: &str, value: f64| {
        Figure::new("swaps", &format!("{name}; {what}"), unit, value)
    };
    let count = done.len();
    let words = format!("{wanted}, no event lost, doubled or out of order");
    figure("swaps in a stream of events", "", count as f64)
        .target(&words, count as u32 == wanted)
        .print()?;
    let pauses: Samples = seen.pauses.iter().copied().collect();
    figure("the engine's pause for a step of a swap, p50", "ms", pauses.median()).print()?;
    let p99 = pauses.quantile(0.99);
    figure("the engine's pause for a step of a swap, p99", "ms", p99)
        .target("< 1 ms", p99 < 1.0)
        .print()?;
    figure("the engine's pause for a step of a swap, longest", "ms", pauses.quantile(1.0))
        .print()?;
    let spans: Samples = done.iter().map(|(from, to)| (*to - *from).as_secs_f64() * 1e3).collect();
    figure("a whole swap, p50", "ms", spans.median()).print()?;
    let is_during = |due: Instant| {
        // The last swap that began before.
        let next = done.partition_point(|(from, _)| *from <= due);
        next.checked_sub(1).is_some_and(|last| due <= done[last].1)
    };
    for (name, times) in [("an event decided", &seen.decided), ("a fave durable", &seen.durable)] {
        let of = |wanted: bool| -> Samples {
            let mine = times.iter().filter(|(due, _)| is_during(*due) == wanted);
            mine.map(|(_, took)| *took).collect()
        };
        let (during, without) = (of(true), of(false));
        for (share, words) in [(0.5, "p50"), (0.99, "p99")] {
            figure(&format!("{name} while a swap is made, {words}"), "ms", during.quantile(share))
                .floor(&format!("between swaps, {words}"), without.quantile(share))
                .print()?;
        }
    }
    Ok(())
}
