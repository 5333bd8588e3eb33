//! What a rule costs that is written in one language or another: size, compiling, memory, time, instructions.
//!
//! Run by `cargo xtask bench --only languages`, twice for each rule: with `--cold` it compiles, and without it takes what was compiled. It
//! takes `--component FILE` (a formula that is told of faves), `--fave FILE` (the rule that makes them) and `--scratch FOLDER`, and prints
//! figures as JSON. Everything is measured through the engine as heatd uses it, so that nothing is measured that heatd does not pay.

#![expect(clippy::disallowed_methods, reason = "a bench measures time, and the engine does not")]

mod needs;
mod pace;
mod played;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use heat_engine::{Component, Limits, Sandbox};
use heat_tests::figures::Figure;

use played::Played;

/// What every limit is while it is not the one that is measured.
fn ample() -> Limits {
    Limits { fuel: u64::MAX, wall_ms: 3_600_000, memory: 1 << 30, ..Limits::default() }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).map(PathBuf::from)
    };
    // Started by `cargo bench` it has no rule, and nothing to do.
    let Some(component) = value("--component") else { return Ok(()) };
    let fave = value("--fave").context("--fave FILE is missing")?;
    let scratch = value("--scratch").context("--scratch FOLDER is missing")?;
    let name = component.file_stem().context("no component")?.to_string_lossy().into_owned();
    let bytes = read(&component)?;
    let figure = |what: &str, unit: &str, value: f64| Figure::new(&name, what, unit, value).print();

    let sandbox = Arc::new(Sandbox::new(Some(&scratch))?);
    let (before, start) = (memory("VmRSS:")?, processor()?);
    let loaded = Component::load(&sandbox, &ample(), &bytes)?;
    let took = processor()? - start;
    if arguments.iter().any(|argument| argument == "--cold") {
        figure("component", "KiB", bytes.len() as f64 / 1024.0)?;
        figure("compiling it, processor time", "s", took)?;
        figure("memory for compiling, at most", "MiB", memory("VmHWM:")? - before)?;
        return figure("compiled code", "KiB", compiled(&scratch)? as f64 / 1024.0);
    }
    figure("loading the compiled code, processor time", "ms", took * 1e3)?;
    figure("memory with the compiled code", "MiB", memory("VmRSS:")? - before)?;
    let fave = Arc::new(Component::load(&sandbox, &ample(), &read(&fave)?)?);
    let played = Played { sandbox, fave, rule: Arc::new(loaded), bytes };
    pace::run(&name, &played)?;
    needs::run(&name, &played)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| {
        format!("{} cannot be read; `cargo xtask rules --all` builds it", file.display())
    })
}

/// The bytes of what the sandbox has put into its folder.
fn compiled(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

/// Seconds that this thread has been on a processor, whatever else ran: the compiler has one thread.
fn processor() -> Result<f64> {
    let line = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = line.split(' ').next().context("no time in schedstat")?;
    Ok(nanoseconds.parse::<f64>()? / 1e9)
}

/// The memory of this process, in MiB: `VmRSS:` is that of now, `VmHWM:` the most that it has had.
fn memory(which: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    let kib = line.with_context(|| format!("no {which}"))?.trim().trim_end_matches(" kB").trim();
    Ok(kib.parse::<f64>()? / 1024.0)
}
