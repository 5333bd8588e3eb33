//! How long a new rule that fails stays live: from its first failed call to the rule before.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use heat_engine::{Action, ChangeRequest, Engine};
use heat_tests::figures::{Figure, Samples};

use crate::stage::{CHANNEL, START, Stage, is_fave, said};
use crate::{Setup, progress};

/// Between two events of 5,000 a second.
const PAUSE: Duration = Duration::from_micros(200);

pub(crate) fn run(setup: &Setup) -> Result<()> {
    progress("rules that fail are rolled back");
    let stage = Stage::new(setup)?;
    let folder = tempfile::tempdir_in(&setup.scratch)?;
    let rules = [("fave", stage.rule("fave", &[])?), ("decay", stage.rule("decay", &[])?)];
    let mut engine = stage.engine(&folder.path().join("heat.redb"), &rules)?;
    let bad = stage.rule("misbehave", &[])?;
    let (mut times, mut number) = (Samples::default(), 0);
    for _ in 0..setup.pick(3, 30) {
        let begun = engine.begin(CHANNEL, "fave")?;
        let swap = begun.prepare(&stage.sandbox, bad.clone())?;
        engine.flip(swap, &ChangeRequest::new(Action::Deploy, "bench", ""))?;
        engine.commit()?;
        times.push(until_back(&mut engine, &mut number)?);
    }
    Figure::median(
        "swaps",
        "from the first failed event to the rule before, live and durable; every 50th of 5,000 events/s fails",
        "ms",
        &times,
    )
    .target("< 1,000 ms", times.quantile(1.0) < 1000.0)
    .print()
}

/// Milliseconds from the first event that fails.
fn until_back(engine: &mut Engine, number: &mut u64) -> Result<f64> {
    let start = Instant::now();
    let mut failed: Option<Instant> = None;
    let stands = |engine: &Engine| {
        engine.slot_statuses().iter().any(|it| it.slot == "fave" && it.name == "fave")
    };
    ensure!(!stands(engine), "the rule that fails is not live");
    for step in 1..10_000 {
        *number += 1;
        let text = if is_fave(*number) { "!do panic" } else { "what a song" };
        thread::sleep((start + PAUSE * step).saturating_duration_since(Instant::now()));
        let began = Instant::now();
        let decision = engine.handle(START + *number / 5, said(*number, 500, text))?;
        if decision.answers.iter().any(|answer| answer.outcome.is_err()) {
            let first = *failed.get_or_insert(began);
            if stands(engine) {
                engine.commit()?;
                return Ok(first.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    anyhow::bail!("the rule that fails was not rolled back")
}
