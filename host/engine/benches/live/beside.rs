//! What the live engine's events feel of a replay beside it, on threads that give way as heatd's do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result};
use heat_tests::figures::{Figure, Samples};
use heat_tests::processes::give_way;

use crate::desk::{self, Seen};
use crate::replay::{CASES, Log, both};
use crate::stage::{CHANNEL, START, Stage, chat};
use crate::{Setup, progress};

const EVENTS_A_SECOND: u64 = 5_000;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    progress("a stream of events, with and without a replay beside it");
    let stage = Stage::new(setup)?;
    let (seconds, logged) = setup.pick((2, 10_000), (15, 200_000));
    let without = listen(&stage, seconds, None)?;
    let with = listen(&stage, seconds, Some(logged))?;
    for (name, pick) in [
        ("an event decided", (|seen| &seen.decided) as fn(&Seen) -> &Vec<_>),
        ("a fave durable", |seen| &seen.durable),
    ] {
        let times = |seen| -> Samples { pick(seen).iter().map(|(_, took)| *took).collect() };
        let (with, without) = (times(&with), times(&without));
        for (share, words) in [(0.5, "p50"), (0.99, "p99")] {
            let name = format!(
                "{name} in a stream of 5,000 events/s while a replay runs on threads of niceness 10, {words}"
            );
            Figure::new("replay", &name, "ms", with.quantile(share))
                .floor(&format!("without a replay, {words}"), without.quantile(share))
                .print()?;
        }
    }
    Ok(())
}

/// A stream of so many seconds, perhaps with replays of a log of so many events beside it.
fn listen(stage: &Stage<'_>, seconds: u64, logged: Option<u64>) -> Result<Seen> {
    let folder = tempfile::tempdir_in(&stage.setup.scratch)?;
    let case = &CASES[3];
    let live = stage.engine(&folder.path().join("live.redb"), &case.rules(stage)?)?;
    let ended = Arc::new(AtomicBool::new(false));
    let replayed = match logged {
        None => None,
        Some(events) => {
            let file = folder.path().join("logged.redb");
            let mut engine = stage.engine(&file, &case.rules(stage)?)?;
            for number in 0..events {
                engine.handle(START + number * 50, chat(number, 500))?;
                if engine.is_full() {
                    engine.commit()?;
                }
            }
            engine.commit()?;
            Some((Log::read(&engine)?, engine))
        }
    };
    thread::scope(|scope| {
        let replay = replayed.as_ref().map(|(log, engine)| {
            let ended = Arc::clone(&ended);
            scope.spawn(move || -> Result<()> {
                // The threads that it starts inherit it.
                give_way()?;
                while !ended.load(Ordering::Relaxed) {
                    let mut one = log.begin(stage, engine, None)?;
                    let mut other = log.begin(stage, engine, None)?;
                    for part in log.records.chunks(20_000) {
                        both(&mut one, &mut other, part)?;
                        if ended.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                }
                Ok(())
            })
        });
        let (desk, thread) = desk::open(live)?;
        let numbers = 0..seconds * EVENTS_A_SECOND;
        desk::stream(&desk, numbers.clone(), EVENTS_A_SECOND, |number| chat(number, 500));
        drop(desk);
        ended.store(true, Ordering::Relaxed);
        let (engine, seen) = thread.join().ok().context("the engine's thread ended early")??;
        if let Some(replay) = replay {
            replay.join().ok().context("the replay ended early")??;
        }
        let faves = engine.snapshot()?.channel_tally(CHANNEL)?.faves;
        let due = numbers.filter(|number| crate::stage::is_fave(*number)).count() as u64;
        anyhow::ensure!(faves == due, "{faves} of {due} faves were counted");
        Ok(seen)
    })
}
