//! A store with thirty days of all channels: how soon a graph of a day is read from it, and how large it is.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use heat_engine::{Engine, Provider, Range, Resolution, Statistics, What};
use heat_tests::figures::{Figure, Samples};

use crate::chat::{CHANNELS, Chat, channel, engine};
use crate::{Setup, api, progress};

const HOUR: u64 = 3_600_000;
pub(crate) const DAY: u64 = 24 * HOUR;

/// How long each channel is silent between two lines, in milliseconds.
const PAUSE: u64 = 10_000;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let folder = tempfile::tempdir_in(&setup.scratch)?;
    let file = folder.path().join("heat.redb");
    let mut engine = engine(&file)?;
    let days = setup.pick(1, 30);
    // It ends within the last hour: heatd deletes what is old.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
    let start = (now - days * DAY) / HOUR * HOUR;
    fill(&mut engine, start, days)?;
    let statistics = engine.statistics().context("the engine counts")?;
    graphs(setup, &statistics, start + days * DAY)?;
    let bytes: u64 = statistics.stored()?.iter().map(|(_, _, bytes)| bytes).sum();
    let name =
        format!("stored bins after {days} days of {CHANNELS} channels with a line each 10 s");
    Figure::new("series", &name, "MB", bytes as f64 / 1e6).print()?;
    for (resolution, _, bytes) in statistics.stored()? {
        let kept = (resolution.kept() / DAY).min(days).max(1);
        let name = format!("of it bins of {resolution}, for each day that they are kept");
        Figure::new("series", &name, "MB/day", bytes as f64 / 1e6 / kept as f64).print()?;
    }
    engine.commit()?;
    drop((engine, statistics));
    api::run(setup, &file, start + days * DAY)
}

/// Chat of so many days, in which old bins and the log go as they do in heatd.
fn fill(engine: &mut Engine, start: u64, days: u64) -> Result<()> {
    let mut chat = Chat::new(200);
    for day in 0..days {
        progress(&format!("day {} of {days}", day + 1));
        for step in 0..DAY / PAUSE {
            let now = start + day * DAY + step * PAUSE;
            for number in 0..CHANNELS {
                engine.handle(now, chat.line(number, now))?;
            }
            if step % 6 == 5 {
                engine.commit()?;
            }
        }
        engine.commit()?;
        engine.expire_log(start + day * DAY)?;
        while !engine.expire_series(Resolution::kept)? {}
    }
    Ok(())
}

/// The last day of one emote, at every interval.
fn graphs(setup: &Setup, statistics: &Statistics, end: u64) -> Result<()> {
    let range = Range { from: end - DAY, to: end };
    for resolution in Resolution::ALL {
        let mut took = Samples::default();
        for round in 0..setup.pick(3, 50) {
            let number = round % CHANNELS;
            let emote = What::Emote(Provider::SevenTv, format!("emote{number}x0"));
            let started = Instant::now();
            let found = statistics.points(&channel(number), &[emote], resolution, range)?;
            took.push(started.elapsed().as_secs_f64() * 1e3);
            anyhow::ensure!(!found[0].is_empty(), "nothing was counted");
        }
        let name = format!("a day of one emote in bins of {resolution}");
        Figure::median("series", &name, "ms", &took).at_most(20.0).print()?;
    }
    Ok(())
}
