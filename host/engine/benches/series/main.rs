//! What counting over time costs: lines a second with all their emotes, memory, bytes on the disk, how soon a graph is there,
//! and how soon a start counts. With `--history`: how soon what was said is found.
//!
//! Run by `cargo xtask bench series` and `bench history`, which passes `--scratch FOLDER` and perhaps `--quick`; it prints figures as JSON.

#![expect(clippy::disallowed_methods, reason = "a bench measures time, and the engine does not")]

mod api;
mod chat;
mod count;
mod history;
mod month;
mod start;

use std::path::PathBuf;

use anyhow::Result;

/// Where to measure, and how long.
pub(crate) struct Setup {
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
    let place = arguments.iter().position(|argument| argument == "--scratch");
    // Started by `cargo bench` it has no folder, and nothing to do.
    let Some(scratch) = place.and_then(|place| arguments.get(place + 1)) else { return Ok(()) };
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let setup = Setup { scratch: scratch.into(), quick };
    let place = arguments.iter().position(|argument| argument == count::MEMORY);
    if let Some(emotes) = place.and_then(|place| arguments.get(place + 1)) {
        return tell(count::grown(&setup, emotes.parse()?)?);
    }
    if arguments.iter().any(|argument| argument == "--history") {
        return history::run(&setup);
    }
    start::run(&setup)?;
    count::run(&setup)?;
    month::run(&setup)
}

/// What a process that only measures its memory answers.
#[expect(clippy::print_stdout, reason = "whoever started it reads it")]
fn tell(megabytes: f64) -> Result<()> {
    println!("{megabytes}");
    Ok(())
}

/// A line for the person who waits.
#[expect(clippy::print_stderr, reason = "the terminal is where it is waited")]
pub(crate) fn progress(line: &str) {
    eprintln!("  {line}");
}
