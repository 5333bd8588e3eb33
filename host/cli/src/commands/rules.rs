//! `heat rules`: for people who write rules, and for people who run them.
//!
//! Reading order, to write rules: [`new`] makes a folder for a rule, from what [`languages`] has for its language. [`offline`] has heatd play
//! and measure what was built there, [`pack`] writes it down for heatd to run. To run them: [`list`] and [`audit`] show, [`add`], [`deploy`] and
//! [`shadow`] bring a rule in, [`change`] says promote, drop, rollback, disable and enable, [`settings`] shows and sets, [`dead_letters`] has
//! failed calls run again. [`done`] says how a change went.

mod add;
mod audit;
mod change;
mod dead_letters;
mod deploy;
mod done;
mod languages;
mod list;
mod new;
mod offline;
mod pack;
mod settings;
mod shadow;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum RulesCommand {
    /// Lists every slot: which rule is in it, since when, how it does, and what runs beside it.
    #[command(
        after_help = "Examples:\n  heat rules list\n  heat rules list --json | jq .rules[].slot"
    )]
    List(list::ListRulesArgs),
    /// Tells who changed what and when, newest first.
    #[command(
        alias = "history",
        after_help = "Examples:\n  heat rules audit\n  heat rules audit --slot decay --count 100"
    )]
    Audit(audit::AuditArgs),
    /// Adds a rule in a slot of its own, while heatd runs.
    Add(add::AddRuleArgs),
    /// Removes a rule that was added so.
    #[command(after_help = "Examples:\n  heat rules remove raids")]
    Remove(add::RemoveRuleArgs),
    /// Puts another version of a rule in the place of the one that is live, from one event to the next.
    Deploy(deploy::DeployArgs),
    /// Runs a rule, or what is live with other settings, beside what is live: nobody sees what it shows.
    Shadow(shadow::ShadowArgs),
    /// Lets the shadow take the place of what is live.
    #[command(
        after_help = "Examples:\n  heat rules promote              the only shadow that runs\n  heat rules promote decay"
    )]
    Promote(change::ChangeArgs),
    /// Ends a shadow.
    #[command(
        after_help = "Examples:\n  heat rules drop                 the only shadow that runs\n  heat rules drop decay"
    )]
    Drop(change::ChangeArgs),
    /// Goes back to the rule that was live before.
    #[command(
        after_help = "Examples:\n  heat rules rollback             the only rule that is on probation\n  heat rules rollback decay"
    )]
    Rollback(change::ChangeArgs),
    /// Switches a slot off: its rule is asked nothing until it is enabled.
    #[command(after_help = "Examples:\n  heat rules disable combo")]
    Disable(change::ChangeArgs),
    /// Switches a slot on again, also one that heatd has put in quarantine.
    #[command(after_help = "Examples:\n  heat rules enable combo")]
    Enable(change::ChangeArgs),
    /// Shows the settings of a rule, or sets some of them while it runs.
    Settings(settings::SettingsArgs),
    /// Lists calls of rules that failed and had no effects.
    #[command(
        alias = "letters",
        after_help = "Examples:\n  heat rules dead-letters\n  heat rules dead-letters --slot combo --json"
    )]
    DeadLetters(dead_letters::DeadLettersArgs),
    /// Runs failed calls again: one by its number, or all of a slot.
    #[command(
        after_help = "Examples:\n  heat rules retry 12             one call\n  heat rules retry --slot combo   all of a slot, after a better version is live"
    )]
    Retry(dead_letters::RetryArgs),
    /// Makes a folder with a working rule in it: sources, cases, and all that they need.
    #[command(
        after_help = "Examples:\n  heat rules new streak --lang rust\n  heat rules new shout --lang javascript --role handler"
    )]
    New(new::NewRuleArgs),
    /// Plays the cases of a rule that is built, without a stream, and says where it answers otherwise than is written.
    #[command(
        after_help = "Examples:\n  heat rules test                 the rule of this folder\n  heat rules test streak.wasm --json\n  heat rules test --bless         writes down what it answers now"
    )]
    Test(offline::TestArgs),
    /// Says what a call of a rule costs, and how much of its limits it uses.
    #[command(
        after_help = "Examples:\n  heat rules bench                the rule of this folder\n  heat rules bench streak.wasm --json"
    )]
    Bench(offline::BenchArgs),
    /// Writes a rule that is built as one file, with its cases, for heatd to run.
    #[command(
        after_help = "Examples:\n  heat rules pack                 the rule of this folder\n  heat rules pack --output rules/streak.wasm"
    )]
    Pack(pack::PackArgs),
}

/// Runs a command. What heatd finds wrong with a rule is said by heatd, and is its exit code.
pub(crate) fn run(command: &RulesCommand) -> Result<ExitCode> {
    use change::SlotChange;
    match command {
        RulesCommand::List(options) => list::run(options),
        RulesCommand::Audit(options) => audit::run(options),
        RulesCommand::Add(options) => add::add(options),
        RulesCommand::Remove(options) => add::remove(options),
        RulesCommand::Deploy(options) => deploy::run(options),
        RulesCommand::Shadow(options) => shadow::run(options),
        RulesCommand::Promote(options) => change::run(SlotChange::Promote, options),
        RulesCommand::Drop(options) => change::run(SlotChange::Drop, options),
        RulesCommand::Rollback(options) => change::run(SlotChange::Rollback, options),
        RulesCommand::Disable(options) => change::run(SlotChange::Disable, options),
        RulesCommand::Enable(options) => change::run(SlotChange::Enable, options),
        RulesCommand::Settings(options) => settings::run(options),
        RulesCommand::DeadLetters(options) => dead_letters::run(options),
        RulesCommand::Retry(options) => dead_letters::retry(options),
        RulesCommand::New(options) => new::run(options),
        RulesCommand::Test(options) => return offline::test(options),
        RulesCommand::Bench(options) => return offline::bench(options),
        RulesCommand::Pack(options) => pack::run(options),
    }?;
    Ok(ExitCode::SUCCESS)
}
