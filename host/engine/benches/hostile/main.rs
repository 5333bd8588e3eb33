//! A hostile rule beside a good one: what stops each attack, and how long the other rule's event waits meanwhile.
//!
//! Run by `cargo xtask hostile`, which passes `--rules FOLDER --guests FOLDER --scratch FOLDER`; it prints a row as JSON for each attack.

#![expect(clippy::disallowed_methods, reason = "a bench measures time, and the engine does not")]

mod attacks;
mod files;
mod instructions;
mod stage;
mod traps;

use std::path::PathBuf;

use anyhow::{Context, Result};

/// What to measure with, and how long.
pub(crate) struct Setup {
    /// Where the components of the rules and of the tests' guests are.
    pub(crate) rules: PathBuf,
    pub(crate) guests: PathBuf,
    /// A folder on the disk that is measured.
    pub(crate) scratch: PathBuf,
    pub(crate) rounds: usize,
    /// Only attacks with this in their names.
    pub(crate) only: Option<String>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)
    };
    // Started by `cargo bench` it has no rules, and nothing to do.
    let Some(rules) = value("--rules").map(PathBuf::from) else { return Ok(()) };
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let setup = Setup {
        rules,
        guests: value("--guests").context("--guests FOLDER is missing")?.into(),
        scratch: value("--scratch").context("--scratch FOLDER is missing")?.into(),
        rounds: if quick { 3 } else { 20 },
        only: value("--only").cloned(),
    };
    files::run(&setup)?;
    instructions::run(&setup)?;
    attacks::run(&setup)?;
    traps::run(&setup)
}
