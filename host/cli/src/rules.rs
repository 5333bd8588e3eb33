//! `heat rules`: for whoever writes rules, and for whoever runs them.
//!
//! Reading order: [`new`] makes a folder for a rule, from what [`languages`] has for its language. [`project`] finds in such a folder what
//! was built, [`component`] makes a component of it that brings its cases along, [`offline`] has heatd play and measure it, [`pack`]
//! writes it down for heatd to run.

mod component;
mod languages;
mod new;
mod offline;
mod pack;
mod project;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes a folder with a working rule in it: sources, cases, and all that they need.
    New(new::Options),
    /// Plays the cases of a rule that is built, without a stream, and says where it answers otherwise than is written.
    Test(offline::TestOptions),
    /// Says what a call of a rule costs, and how much of its limits it uses.
    Bench(offline::BenchOptions),
    /// Writes a rule that is built as one file, with its cases, for heatd to run.
    Pack(pack::Options),
}

/// Runs a command. What heatd finds wrong with a rule is said by heatd, and is its exit code.
pub(crate) fn run(command: &Command) -> Result<ExitCode> {
    match command {
        Command::New(options) => new::run(options),
        Command::Test(options) => return offline::test(options),
        Command::Bench(options) => return offline::bench(options),
        Command::Pack(options) => pack::run(options),
    }?;
    Ok(ExitCode::SUCCESS)
}
