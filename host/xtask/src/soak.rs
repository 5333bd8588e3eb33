//! Lets heatd run as it does for weeks, in little time, and says what came of it. The doing is `heat_tests::soak`, as in the tests.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use heat_tests::soak::{self, Speed};

use crate::shell::{self, cargo, say, target};
use crate::{rules, tools};

/// The exit code when something was lost or doubled, or grew.
const FAILED: u8 = 1;

#[derive(Args)]
pub(crate) struct Options {
    /// How long chat goes on.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    #[arg(long, default_value_t = 25)]
    channels: usize,
    /// How many times as fast as it was recorded chat is told.
    #[arg(long, default_value_t = 20.0)]
    speed: f64,
    /// Instead of that: so many lines a second in all channels together.
    #[arg(long, conflicts_with = "speed")]
    lines: Option<f64>,
    /// So many lines in a hundred are faves.
    #[arg(long, default_value_t = 2)]
    faves: u64,
    /// The rules, in the order of the chain; `fave` and `decay` have to be there.
    #[arg(long, value_delimiter = ',', default_value = "fave,decay,combo")]
    rules: Vec<String>,
    /// How long plain chat may wait for its commit.
    #[arg(long, default_value = "5s")]
    flush: String,
    /// How long faves may wait for one another.
    #[arg(long, default_value = "0s")]
    gather: String,
    /// The time in which the heat halves. With 0s it never falls, and the text file is held against what was sent.
    #[arg(long, default_value = "0s")]
    half_life: String,
    /// Leaves rules and broker alone: for figures of the disk.
    #[arg(long)]
    quiet: bool,
    /// Another heatd than the one that is built here.
    #[arg(long, value_name = "FILE")]
    heatd: Option<PathBuf>,
    /// A folder for the store, on the disk that is meant.
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Runs, prints. The exit code is 1 when the soak is not passed.
pub(crate) fn run(options: &Options) -> Result<u8> {
    if !cfg!(target_os = "linux") {
        bail!("the soak reads /proc, and so runs on Linux only");
    }
    tools::programs()?;
    let folder = rules::build_alone()?;
    let heatd = match &options.heatd {
        Some(heatd) => heatd.clone(),
        None => program("heatd")?,
    };
    let writer = program("heat-writer")?;
    say(&format!("heatd is {}, heat-writer is {}", heatd.display(), writer.display()));
    let scratch = options.scratch.clone().unwrap_or_else(|| target().join("soak"));
    std::fs::create_dir_all(&scratch)
        .with_context(|| format!("failed to make {}", scratch.display()))?;
    let every = |seconds| (!options.quiet).then(|| Duration::from_secs(seconds));
    let soak = soak::Options {
        heatd,
        writer,
        rules: folder,
        chain: options.rules.clone(),
        scratch,
        time: Duration::from_secs_f64(options.minutes * 60.0),
        channels: options.channels,
        speed: options.lines.map_or(Speed::Times(options.speed), Speed::Lines),
        faves: options.faves,
        flush: options.flush.clone(),
        gather: options.gather.clone(),
        half_life: options.half_life.clone(),
        swap_every: every(1),
        restart_every: every(30),
    };
    let report = soak::run(&soak, &|line| say(line))?;
    let channels = options.channels as u64;
    if options.json {
        print(&serde_json::to_string_pretty(&report.json(channels))?);
    } else {
        print(&report.table(channels));
    }
    Ok(if report.failures(channels).is_empty() { 0 } else { FAILED })
}

/// A program built for release, if there is one; else that of a debug build, which is built.
fn program(name: &str) -> Result<PathBuf> {
    let built = |folder: &str| target().join(folder).join(name);
    if built("release").is_file() {
        return Ok(built("release"));
    }
    shell::run(&mut cargo(["build", "--locked", "--workspace", "--bins"]))?;
    Ok(built("debug"))
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
fn print(text: &str) {
    println!("{text}");
}
