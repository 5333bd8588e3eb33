//! Lines a second, and the memory that open bins take.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use heat_tests::figures::{Figure, Samples};

use crate::chat::{CHANNELS, Chat, START, engine};
use crate::{Setup, progress};

/// How many lines go into one commit.
const GROUP: u64 = 1_000;

/// The argument of a process that only measures its memory, with how many emotes.
pub(crate) const MEMORY: &str = "--memory";

/// How many different emotes are used in each channel.
const EMOTES: u32 = 200;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let lines = setup.pick(20_000, 500_000);
    let (mut with, mut without) = (Samples::default(), Samples::default());
    for round in 0..setup.pick(1, 5) {
        progress(&format!("counting, round {}", round + 1));
        // Side by side, and the other way round in every second round.
        for emotes in if round % 2 == 0 { [EMOTES, 0] } else { [0, EMOTES] } {
            let samples = if emotes == 0 { &mut without } else { &mut with };
            samples.push(rate(setup, lines, emotes)?);
        }
    }
    let name = "lines with all their emotes, from the event to the commit";
    let met = with.median() >= 100_000.0;
    let figure = Figure::median("series", name, "lines/s", &with);
    let figure = figure.floor("the same lines without emotes", without.median());
    figure.target("100,000 lines/s", met).print()?;
    memory(setup)
}

/// Lines a second, in all channels in turn, at 250 lines a second of their own time.
fn rate(setup: &Setup, lines: u64, emotes: u32) -> Result<f64> {
    let folder = tempfile::tempdir_in(&setup.scratch)?;
    let mut engine = engine(&folder.path().join("heat.redb"))?;
    let mut chat = Chat::new(emotes);
    let events: Vec<_> =
        (0..lines).map(|it| chat.line(it as usize % CHANNELS, START + it * 4)).collect();
    let started = Instant::now();
    for (number, event) in (0_u64..).zip(events) {
        engine.handle(event.at, event)?;
        if number % GROUP == GROUP - 1 {
            engine.commit()?;
        }
    }
    engine.commit()?;
    Ok(lines as f64 / started.elapsed().as_secs_f64())
}

/// What an hour of chat takes in memory when every channel uses so many different emotes in it. Each in a process of its own: what
/// a process has had once, it keeps.
fn memory(setup: &Setup) -> Result<()> {
    for emotes in [EMOTES, 5_000] {
        progress(&format!("memory, {emotes} emotes"));
        let mut child = Command::new(std::env::current_exe()?);
        child.arg("--scratch").arg(&setup.scratch).args([MEMORY, &emotes.to_string()]);
        child.args(setup.quick.then_some("--quick"));
        let told = child.stderr(Stdio::inherit()).output()?;
        let grown = String::from_utf8(told.stdout)?;
        let grown: f64 = grown.trim().parse().context("the process told nothing")?;
        let name = format!(
            "memory that an hour at 250 lines/s adds, {CHANNELS} channels with {emotes} different emotes each"
        );
        Figure::new("series", &name, "MB", grown).at_most(40.0).print()?;
    }
    Ok(())
}

/// Counts an hour, and says by how many megabytes the process has grown.
pub(crate) fn grown(setup: &Setup, emotes: u32) -> Result<f64> {
    let folder = tempfile::tempdir_in(&setup.scratch)?;
    let mut engine = engine(&folder.path().join("heat.redb"))?;
    let mut chat = Chat::new(emotes);
    let before = resident()?;
    for number in 0..setup.pick(20_000, 900_000_u64) {
        let event = chat.line(number as usize % CHANNELS, START + number * 4);
        engine.handle(event.at, event)?;
        if number % GROUP == GROUP - 1 {
            engine.commit()?;
        }
    }
    engine.commit()?;
    Ok((resident()? - before) / 1e6)
}

/// What this process has in memory, in bytes.
pub(crate) fn resident() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
    Ok(kib.parse::<f64>()? * 1024.0)
}
