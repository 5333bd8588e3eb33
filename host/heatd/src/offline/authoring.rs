//! `heatd rule`: for whoever writes rules. Plays the cases of a component, and measures what its calls cost. It needs no
//! configuration, opens no socket, and keeps nothing on disk.
//!
//! Reading order: [`cast`] loads the component, its cases and its companions; [`test`] and [`bench`] are the commands.

mod bench;
mod cast;
mod test;

use std::process::ExitCode;

use clap::Subcommand;
use heat_engine::{Component, role_name};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Plays the cases with new instances and with shared ones, and says where the rule answers otherwise than is written.
    Test(test::Options),
    /// Plays the cases over and over, and says what a call costs and how much of the limits it uses.
    Bench(bench::Options),
}

/// Runs a command. Its exit code is 1 when the rule fails, and when it cannot be played.
pub(crate) fn run(command: &Command) -> ExitCode {
    let done = match command {
        Command::Test(options) => test::run(options),
        Command::Bench(options) => bench::run(options),
    };
    match done {
        Ok((answer, passed)) => {
            crate::print(&answer);
            if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            complain(&format!("heatd: {}\n", harmless(&format!("{error:#}"))));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a mistake is for the person at the terminal")]
fn complain(text: &str) {
    eprint!("{text}");
}

/// What a component and its cases say may do nothing to a terminal.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c }).collect()
}

/// The first line of every answer: which rule this is.
fn headline(rule: &Component, bytes: usize) -> String {
    let about = &rule.description;
    let (name, version, role) = (&about.name, &about.version, role_name(about.role));
    format!("{name} {version}, a {role} of {} bytes\n", counted(bytes as u64))
}

/// A number with its digits in groups of three.
fn counted(number: u64) -> String {
    let digits = number.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let (mut text, mut rest) = (digits[..first].to_owned(), &digits[first..]);
    while !rest.is_empty() {
        text = format!("{text},{}", &rest[..3]);
        rest = &rest[3..];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_digits_in_groups_of_three() {
        let said = [0, 999, 1_000, 20_000_000].map(counted);
        assert_eq!(said, ["0", "999", "1,000", "20,000,000"]);
    }
}
