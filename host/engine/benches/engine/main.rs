//! The engine beside what it is made of: an event beside a bare call of the same component, faves beside a bare transaction.
//!
//! Run by `cargo xtask bench`, which passes `--rules FOLDER --scratch FOLDER` and perhaps `--quick`; it prints figures as JSON. [`lone`] is
//! a floor of another bench.

#![expect(clippy::disallowed_methods, reason = "a bench measures time, and the engine does not")]

mod bare;
mod call;
mod faves;
mod floor;
mod lone;
mod stage;
mod views;

mod generated {
    wasmtime::component::bindgen!({ path: "../../wit", world: "rule" });
}

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

/// What to measure with, and how long.
pub(crate) struct Setup {
    /// Where the components are.
    pub(crate) rules: PathBuf,
    /// A folder on the disk that is measured.
    pub(crate) scratch: PathBuf,
    pub(crate) quick: bool,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)
    };
    let number = |name: &str| value(name)?.parse().ok();
    let value = |name: &str| value(name).map(PathBuf::from);
    // Started by `cargo bench` it has no rules, and nothing to do.
    let Some(rules) = value("--rules") else { return Ok(()) };
    let scratch = value("--scratch").context("--scratch FOLDER is missing")?;
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let setup = Setup { rules, scratch, quick };
    if let (Some(faves), Some(pause)) = (number("--lone"), number("--pause")) {
        return lone::run(&setup, faves, Duration::from_millis(pause));
    }
    call::run(&setup)?;
    faves::run(&setup)
}
