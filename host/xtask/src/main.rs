//! The project's own commands, run as `cargo xtask COMMAND`.
//!
//! Reading order: [`rules`] makes components of the rule crates, [`page`] builds and tries the web page, [`demo`] runs everything, [`check`] and [`test`] are what has to
//! pass before a change lands, [`bench`] measures, [`hostile`] attacks, [`fuzz`] tries any bytes, [`crash`] kills, [`soak`] runs long, [`dist`] packs what people install, [`tools`] finds or installs
//! what the others need.

mod bench;
mod check;
mod crash;
mod demo;
mod dist;
mod fuzz;
mod hostile;
mod page;
mod rules;
mod shell;
mod soak;
mod test;
mod tools;

use std::process::ExitCode;

use clap::Parser;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Command {
    /// Builds the rules as components into target/rules, and the guests of the tests into target/guests.
    Rules(rules::Options),
    /// Runs the main job on this machine: simulated chat, heatd with its own broker, heat-writer, a file.
    Demo(demo::Options),
    /// Measures speed, memory and latency, each beside its floor, and beside what could be used instead.
    Bench(bench::Options),
    /// Lets a hostile rule attack the engine: what stops it, and what other rules feel of it.
    Hostile(hostile::Options),
    /// Kills heatd again and again under a stream of messages: what is lost, what is doubled, how soon it serves again.
    Crash(crash::Options),
    /// Runs heatd with 25 channels of fast chat while rules are swapped and the broker is restarted; counts, memory, disk.
    Soak(soak::Options),
    /// Tries the fuzz targets for as long as asked for, led by what they reach.
    Fuzz(fuzz::Options),
    /// Builds the web page of heatd, and tries it in a browser.
    Page(page::Options),
    /// Formatting, lints, licences and advisories.
    Check,
    /// Installs what the tests need where it may, builds everything, and runs every test.
    Test(test::Options),
    /// The same with the longest tests at full length: hundreds of kills, a minute of a soak.
    Nightly,
    /// Builds the archives that people install, for ARM64, x86-64 and Windows, into target/dist.
    Dist(dist::Options),
}

fn main() -> ExitCode {
    if let Some(code) = fuzz::compile() {
        return code;
    }
    let done = match Command::parse() {
        Command::Rules(options) => rules::command(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Bench(options) => match bench::run(&options) {
            Ok(code) => return ExitCode::from(code),
            Err(error) => Err(error),
        },
        Command::Hostile(options) => match hostile::run(&options) {
            Ok(code) => return ExitCode::from(code),
            Err(error) => Err(error),
        },
        Command::Fuzz(options) => match fuzz::run(&options) {
            Ok(code) => return ExitCode::from(code),
            Err(error) => Err(error),
        },
        Command::Crash(options) => match crash::run(&options) {
            Ok(code) => return ExitCode::from(code),
            Err(error) => Err(error),
        },
        Command::Soak(options) => match soak::run(&options) {
            Ok(code) => return ExitCode::from(code),
            Err(error) => Err(error),
        },
        Command::Page(options) => page::run(&options),
        Command::Check => check::run(),
        Command::Test(options) => test::run(&options),
        Command::Nightly => test::nightly(),
        Command::Dist(options) => dist::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
