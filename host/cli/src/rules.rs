//! `heat rules`: for whoever writes rules, and for whoever runs them.
//!
//! Reading order, for the one: [`new`] makes a folder for a rule, from what [`languages`] has for its language. [`project`] finds in such a
//! folder what was built, [`component`] makes a component of it that brings its cases along, [`offline`] has heatd play and measure it,
//! [`pack`] writes it down for heatd to run. For the other: [`list`] and [`history`] show, [`deploy`] and [`shadow`] bring a rule in that
//! [`module`] has read, [`change`] says promote, drop, rollback, disable and enable, [`settings`] shows and sets, [`letters`] has failed
//! calls run again.

mod change;
mod component;
mod deploy;
mod history;
mod languages;
mod letters;
pub(crate) mod list;
pub(crate) mod module;
mod new;
mod offline;
mod pack;
mod project;
mod settings;
mod shadow;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Lists every slot: which rule is in it, since when, how it does, and what runs beside it.
    List(list::Options),
    /// Tells who changed what and when, newest first.
    History(history::Options),
    /// Puts another version of a rule in the place of the one that is live, from one event to the next.
    Deploy(deploy::Options),
    /// Runs a rule, or what is live with other settings, beside what is live: nobody sees what it shows.
    Shadow(shadow::Options),
    /// Lets the shadow take the place of what is live.
    Promote(change::Options),
    /// Ends a shadow.
    Drop(change::Options),
    /// Goes back to the rule that was live before.
    Rollback(change::Options),
    /// Switches a slot off: its rule is asked nothing until it is enabled.
    Disable(change::Options),
    /// Switches a slot on again, also one that heatd has put in quarantine.
    Enable(change::Options),
    /// Shows the settings of a rule, or sets some of them while it runs.
    Settings(settings::Options),
    /// Lists calls of rules that failed and had no effects.
    Letters(letters::Options),
    /// Runs failed calls again: one by its number, or all of a slot.
    Retry(letters::Retry),
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
    use change::Change;
    match command {
        Command::List(options) => list::run(options),
        Command::History(options) => history::run(options),
        Command::Deploy(options) => deploy::run(options),
        Command::Shadow(options) => shadow::run(options),
        Command::Promote(options) => change::run(Change::Promote, options),
        Command::Drop(options) => change::run(Change::Drop, options),
        Command::Rollback(options) => change::run(Change::Rollback, options),
        Command::Disable(options) => change::run(Change::Disable, options),
        Command::Enable(options) => change::run(Change::Enable, options),
        Command::Settings(options) => settings::run(options),
        Command::Letters(options) => letters::run(options),
        Command::Retry(options) => letters::retry(options),
        Command::New(options) => new::run(options),
        Command::Test(options) => return offline::test(options),
        Command::Bench(options) => return offline::bench(options),
        Command::Pack(options) => pack::run(options),
    }?;
    Ok(ExitCode::SUCCESS)
}
