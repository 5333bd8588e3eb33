//! `heatd rule`: for authors of rules. Plays the cases of a component, and measures what its calls cost. It needs no
//! configuration, opens no socket, and keeps nothing on disk but compiled code ([`kept`]).
//!
//! Reading order: [`cast`] loads the component, its cases and its companions; [`test`] and [`bench`] are the commands.

mod bench;
mod cast;
mod compiling;
mod kept;
mod test;
mod words;

use std::process::ExitCode;

use clap::Subcommand;

use crate::terminal::{fail, print};
use words::harmless;

#[derive(Subcommand)]
pub(crate) enum RuleCommand {
    /// Plays the cases with new instances and with shared ones, and says where the rule answers otherwise than is written.
    Test(test::TestOptions),
    /// Plays the cases over and over, and says what a call costs and how much of the limits it uses.
    Bench(bench::BenchOptions),
}

/// Runs a command. Its exit code is 1 when the rule fails, and when it cannot be played.
pub(crate) fn run(command: &RuleCommand) -> ExitCode {
    let done = match command {
        RuleCommand::Test(options) => test::run(options),
        RuleCommand::Bench(options) => bench::run(options),
    };
    match done {
        Ok((answer, passed)) => {
            print(&answer);
            if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            fail(&format!("heatd: {}\n", harmless(&format!("{error:#}"))), ExitCode::FAILURE)
        }
    }
}
