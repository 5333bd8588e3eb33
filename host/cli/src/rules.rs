//! `heat rules`: which rules run, and putting others in their place while the stream is live.
//!
//! Reading order: [`list`] and [`history`] show, [`deploy`] and [`shadow`] bring a rule in, [`change`] says promote, drop, rollback, disable
//! and enable, [`settings`] shows and sets, [`letters`] has failed calls run again. [`module`] reads a rule's file.

mod change;
mod deploy;
mod history;
mod letters;
pub(crate) mod list;
pub(crate) mod module;
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
}

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
    }?;
    Ok(ExitCode::SUCCESS)
}
