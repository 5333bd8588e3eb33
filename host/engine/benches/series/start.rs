//! A start after a kill at the end of a full hour: how soon the engine counts, and how soon the hour is counted again.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use heat_engine::{Range, Resolution, Store, What};
use heat_tests::figures::{Figure, Samples};

use crate::chat::{CHANNELS, Chat, START, channel, engine, over};
use crate::{Setup, progress};

/// Lines of a second, in all channels.
const RATE: u64 = 250;

/// How many lines go into one commit: those of 5 seconds.
const GROUP: u64 = 5 * RATE;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let folder = tempfile::tempdir_in(&setup.scratch)?;
    let (file, killed) = (folder.path().join("heat.redb"), folder.path().join("killed.redb"));
    let lines = setup.pick(20_000, 3_600 * RATE);
    progress(&format!("a log of {lines} lines"));
    let mut before = engine(&file)?;
    let mut chat = Chat::new(200);
    for number in 0..lines {
        let at = START + number * 1_000 / RATE;
        before.handle(at, chat.line(number as usize % CHANNELS, at))?;
        if number % GROUP == GROUP - 1 {
            before.commit()?;
        }
    }
    before.commit()?;
    let (mut opened, mut started, mut counted) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..setup.pick(1, 5) {
        // What the disk has while the engine runs is what a kill leaves.
        std::fs::copy(&file, &killed)?;
        let begun = Instant::now();
        let store = Store::open(&killed)?;
        opened.push(begun.elapsed().as_secs_f64() * 1e3);
        let mut engine = over(store)?;
        let now = START + lines * 1_000 / RATE;
        engine.handle(now, chat.line(0, now))?;
        engine.commit()?;
        started.push(begun.elapsed().as_secs_f64() * 1e3);
        let statistics = engine.statistics().context("the engine counts")?;
        let range = Range { from: START, to: START + 2 * 3_600_000 };
        let mut found = 0;
        for number in 0..CHANNELS {
            let all = &[What::Messages];
            let points = statistics.points(&channel(number), all, Resolution::Hour, range)?;
            found += points[0].iter().map(|point| point.count).sum::<i64>();
        }
        counted.push(begun.elapsed().as_secs_f64() * 1e3);
        ensure!(found == lines as i64 + 1, "{found} lines of {lines} are counted");
    }
    let of = format!("after {lines} lines in an hour");
    let name = format!("from opening the store to the first line's commit, {of}");
    Figure::median("series", &name, "ms", &started).at_most(1_000.0).print()?;
    let name = format!("of it to verify the store, {of}");
    Figure::median("series", &name, "ms", &opened).print()?;
    let name = format!("until the hour is counted again, {of}");
    Figure::median("series", &name, "ms", &counted).print()
}
