//! Runs every test, after installing and building what they need.
//!
//! [`programs`] builds the test programs, [`runner`] runs them beside each other, [`clock`] knows how long each test took, [`report`]
//! says what came of it.

mod clock;
mod programs;
mod report;
mod runner;

use anyhow::{Result, ensure};
use clap::Args;

use crate::shell::{self, build_here, cargo, say};
use crate::{check, demo, page, rules, tools};

/// The demo is run at the end, as a newcomer would: long enough for its first faves.
const DEMO_SECONDS: u64 = 8;

/// The tests of heatd for ARM64 under qemu, which `cargo xtask nightly` runs.
const EMULATED: &str = "heat-tests/arm64";

/// What `heat_tests::length` looks at.
const FULL: &str = "HEAT_TEST_FULL";

#[derive(Args)]
pub(crate) struct Options {
    /// Leaves out formatting, lints and cargo-deny.
    #[arg(long)]
    no_check: bool,
    /// Passed to the test programs: names of tests, --nocapture ...
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// How long the longest tests go on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Length {
    /// So that a change need not wait for them.
    Short,
    /// As long as they are meant to.
    Full,
}

/// What `cargo xtask test` does.
pub(crate) fn run(options: &Options) -> Result<()> {
    all(!options.no_check, &options.arguments, Length::Short)
}

/// What `cargo xtask nightly` does.
pub(crate) fn nightly() -> Result<()> {
    all(true, &[], Length::Full)
}

/// Checks, builds, tests.
fn all(checks: bool, arguments: &[String], length: Length) -> Result<()> {
    tools::for_tests()?;
    if checks {
        check::without_lints()?;
        shell::lint_builds();
    }
    let components = rules::build()?;
    rules::languages::build()?;
    page::build()?;
    let mut programs = programs::build()?;
    match length {
        Length::Full => for_arm64()?,
        // Its build takes longer than all tests together, and what it tries changes with wasmtime alone.
        Length::Short => programs.retain(|program| program.name != EMULATED),
    }
    let full = (length == Length::Full).then_some((FULL, "1"));
    let report = runner::run(&programs, arguments, full)?;
    report.print();
    examples_of_the_docs(arguments)?;
    ensure!(report.is_passed(), "tests have failed; see above");
    page::test(&components)?;
    demo::run(&demo::Options { seconds: Some(DEMO_SECONDS), browse: true, is_built: true })?;
    if std::env::var_os("HEAT_RECORDINGS").is_none() {
        say("HEAT_RECORDINGS is not set: the flow test ran on generated chat, not on recordings");
    }
    Ok(())
}

/// Those that stand in comments, which rustdoc compiles and runs.
fn examples_of_the_docs(arguments: &[String]) -> Result<()> {
    let mut test = build_here(["test", "--quiet", "--locked", "--workspace", "--doc", "--"]);
    shell::run(test.args(arguments))
}

/// What a test runs under qemu.
fn for_arm64() -> Result<()> {
    if std::env::consts::ARCH == "aarch64" {
        // Every test is one for ARM64 then.
        return Ok(());
    }
    say("heatd for ARM64; the first time this takes some minutes");
    // Of the workspace, so that the macros which both builds run are built once.
    let build = ["build", "--locked", "--workspace", "--target", tools::ARM64];
    let programs = ["--bin", "heatd", "--example", "decisions"];
    shell::run(cargo(build).args(programs).envs(tools::linker()))
}
