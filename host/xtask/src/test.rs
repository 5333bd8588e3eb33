//! Runs every test, after installing and building what they need.

use anyhow::Result;
use clap::Args;

use crate::shell::{self, cargo, say};
use crate::{check, demo, page, rules, tools};

/// The demo is run at the end, as a newcomer would: long enough for its first faves.
const DEMO_SECONDS: u64 = 8;

#[derive(Args)]
pub(crate) struct Options {
    /// Leaves out formatting, lints and cargo-deny.
    #[arg(long)]
    no_check: bool,
    /// Passed to the test programs: names of tests, --nocapture ...
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Checks, builds, tests.
pub(crate) fn run(options: &Options) -> Result<()> {
    tools::for_tests()?;
    if !options.no_check {
        check::run()?;
    }
    let components = rules::build()?;
    rules::languages::build()?;
    page::build()?;
    // The tests start the real programs. Built for the whole workspace, dependencies have the same features as in the
    // tests, so that wasmtime is built once.
    run_cargo(&["build", "--locked", "--workspace", "--bins"])?;
    // A library for programs that are started with it, which is no part of the tests' own build.
    run_cargo(&["build", "--locked", "--package", "slow-disk"])?;
    for_arm64()?;
    let mut arguments = vec!["test", "--locked", "--workspace", "--no-fail-fast"];
    if !options.arguments.is_empty() {
        arguments.push("--");
        arguments.extend(options.arguments.iter().map(String::as_str));
    }
    run_cargo(&arguments)?;
    page::test(&components)?;
    demo::run(&demo::Options { seconds: Some(DEMO_SECONDS), browse: true })?;
    if std::env::var_os("HEAT_RECORDINGS").is_none() {
        say("HEAT_RECORDINGS is not set: the flow test ran on generated chat, not on recordings");
    }
    Ok(())
}

/// What a test runs under qemu. Both at once, so that they have wasmtime with the same features.
fn for_arm64() -> Result<()> {
    if std::env::consts::ARCH == "aarch64" {
        // Every test is one for ARM64 then.
        return Ok(());
    }
    say("heatd for ARM64; the first time this takes five minutes on two cores");
    let build = ["build", "--locked", "--target", tools::ARM64];
    let programs = [
        "--package",
        "heatd",
        "--bin",
        "heatd",
        "--package",
        "heat-tests",
        "--example",
        "decisions",
    ];
    shell::run(cargo(build).args(programs).envs(tools::linker()))
}

fn run_cargo(arguments: &[&str]) -> Result<()> {
    shell::run(cargo([]).args(arguments))
}
