//! What changing rules costs while they run: swaps and rollbacks in a stream of events, and replays of a long log beside it. And which rule finds the
//! moments that stood out.
//!
//! Run by `cargo xtask bench`, which passes `--rules FOLDER --guests FOLDER --scratch FOLDER` and perhaps `--quick` and `--only PART`;
//! it prints figures as JSON.

#![expect(clippy::disallowed_methods, reason = "a bench measures time, and the engine does not")]

mod beside;
mod builds;
mod desk;
mod moments;
mod recorded;
mod replay;
mod rollback;
mod stage;
mod swaps;

use std::path::PathBuf;

use anyhow::{Context, Result};

/// What to measure with, and how long.
pub(crate) struct Setup {
    /// Where the components of the rules and of the tests' guests are.
    pub(crate) rules: PathBuf,
    pub(crate) guests: PathBuf,
    /// A folder on the disk that is measured.
    pub(crate) scratch: PathBuf,
    pub(crate) quick: bool,
}

impl Setup {
    /// One of the two, as the run is quick or not.
    pub(crate) fn pick<T>(&self, quick: T, whole: T) -> T {
        if self.quick { quick } else { whole }
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)
    };
    // Started by `cargo bench` it has no rules, and nothing to do.
    let Some(rules) = value("--rules").map(PathBuf::from) else { return Ok(()) };
    let setup = Setup {
        rules,
        guests: value("--guests").context("--guests FOLDER is missing")?.into(),
        scratch: value("--scratch").context("--scratch FOLDER is missing")?.into(),
        quick: arguments.iter().any(|argument| argument == "--quick"),
    };
    let wants = |part: &str| value("--only").is_none_or(|only| only == part);
    if wants("swaps") {
        swaps::run(&setup)?;
        rollback::run(&setup)?;
    }
    if wants("replay") {
        replay::run(&setup)?;
        beside::run(&setup)?;
    }
    // It tells of a rule and not of speed, so it is no part of a whole run.
    if value("--only").is_some_and(|only| only == "moments") {
        moments::run(&setup)?;
    }
    Ok(())
}

/// A line for the person who waits.
#[expect(clippy::print_stderr, reason = "the terminal is where it is waited")]
pub(crate) fn progress(line: &str) {
    eprintln!("  {line}");
}
