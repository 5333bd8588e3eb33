//! heat: the command line of Heat Level. It asks heatd, and without one it reads chat by itself.
//!
//! From the bottom to the top, each knows only what stands before it:
//! - [`terminal`] prints; [`backoff`] waits, [`values`] and [`when`] read what is typed;
//! - [`find`] says where heatd and its token are, [`heatd`] where the program heatd is, [`rule_file`] reads a rule;
//! - [`api`] asks heatd;
//! - [`target`] chooses the channel and the slot that are meant, [`candidate`] what is held against a slot, [`outcome`] shows what rules answer;
//! - [`commands`], each in a file of its own.

mod api;
mod backoff;
mod candidate;
mod commands;
mod find;
mod heatd;
mod outcome;
mod rule_file;
mod target;
mod terminal;
mod values;
mod when;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::{
    backup, channels, command, config, devlog, export, forget, history, import, login, moderate,
    page, person, replay, restore, rules, say, simulate, status, stream, token, undo, watch, why,
};
use crate::terminal::note;

/// The exit code for a command line that cannot be understood (EX_USAGE of sysexits.h).
const USAGE: u8 = 64;

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat watch                     everything that happens in heatd's channels, and the heat
  heat watch --channel somebody  the same of one channel; without heatd, its Twitch chat
  heat status --json | jq .faves
  heat stream start
  heat channels add somebody     another channel, at once and without a restart
  heat command '?heat set 50'    what a moderator would write in chat
  heat rules list                which rules run, and what differs from the configuration
  heat rules deploy decay.wasm   another version of a rule, while the stream is live
  heat rules settings set half_life=3m
  heat replay decay.wasm --from '1h ago'
  heat simulate raid --viewers 250
  heat why                       what is behind the heat
  heat undo --user troll --since 10m
  heat history --user ann pie    what was said, as long as the log has it; also: heat person ann
  heat rules new streak --lang rust
  heat page                      the link to heatd's page
  heat token new --role moderator --name ann
  heat login                     follows, subscriptions, rewards: with your Twitch account
  heat say 'back in five minutes'
  heat timeout troll 10m         also: heat ban, heat unban, heat delete
  heat devlog                    everything raw, and what became of it; not for viewers
  heat export --output heat.jsonl
  heat import heat.jsonl --dry-run
  heat forget somebody
  heat backup                    everything that heatd keeps, in one file
  heat restore --data heat-data  the backups that there are

Where heatd is:
  On the same machine heat finds it by what heatd leaves in its data folder: ./heat-data,
  ./heat/heat-data, /var/lib/heatd, or the one that --data or HEAT_DATA names.
  Elsewhere HEAT_URL says where heatd is, and HEAT_TOKEN_FILE names a copy of its api.token.
  heatd listens on its own machine only, so make a way there: ssh -L 8077:localhost:8077 pi

Exit codes: 0 done, 1 failed, 64 the command line is wrong.";

/// The command line of Heat Level: how heatd does, what happens in chat and what rules make of it, and when the stream starts.
#[derive(Parser)]
#[command(
    name = "heat",
    version,
    after_help = AFTER_HELP
)]
enum Command {
    /// Shows how heatd does: connections, counts, channels with their outputs and rules.
    Status(status::StatusArgs),
    /// Shows what happens: chat, events, what rules answer, and the heat. Ends with q or Ctrl-C.
    Watch(watch::WatchArgs),
    /// Says that the stream starts or ends, which rules may act on.
    Stream(stream::StreamArgs),
    /// Shows, adds and removes channels while heatd runs.
    #[command(subcommand)]
    Channels(channels::ChannelsCommand),
    /// Gives rules an order that moderators give in chat: ?heat set 50, ?heat pause.
    #[command(name = "command")]
    Order(command::CommandArgs),
    /// Shows and changes rules while they run, and helps to write them: new, test, bench, pack.
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Shows what rules would answer to something that did not happen.
    Simulate(simulate::SimulateArgs),
    /// Plays the log again with another rule or other settings, and compares.
    Replay(replay::ReplayArgs),
    /// Shows which events and rules are behind what an output shows.
    Why(why::WhyArgs),
    /// Finds what was said and done, by person, words, kind and time.
    History(history::HistoryArgs),
    /// Shows who somebody is: names, since when they are known, how often they came.
    Person(person::PersonArgs),
    /// Takes back what a person, an event or a version of a rule has brought.
    Undo(undo::UndoArgs),
    /// Prints the link that opens heatd's page for its owner.
    Page(page::PageArgs),
    /// Makes links for others: for moderators, and for people who may only watch.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Logs heatd in to Twitch, and says how its accounts stand.
    Login(login::LoginArgs),
    /// Ends a login to Twitch.
    Logout(login::LogoutArgs),
    /// Says a line in chat, as heatd's account.
    Say(say::SayArgs),
    /// Bans somebody from a channel's chat.
    Ban(moderate::BanArgs),
    /// Bans somebody for a while.
    Timeout(moderate::TimeoutArgs),
    /// Ends a ban or a timeout.
    Unban(moderate::UnbanArgs),
    /// Removes a line of chat.
    Delete(moderate::DeleteArgs),
    /// Shows every raw line, frame and message, and what became of each. Not for viewers.
    Devlog(devlog::DevlogArgs),
    /// Writes counts and log as lines of JSON.
    Export(export::ExportArgs),
    /// Adds counts from a file: of `heat export`, or of the original's database.
    Import(import::ImportArgs),
    /// Removes a person from log and counts, as if they had never been there.
    Forget(forget::ForgetArgs),
    /// Has heatd make a verified copy of everything that it keeps, while it runs.
    Backup(backup::BackupArgs),
    /// Puts a backup into the place of heatd's store; lists the backups without a FILE.
    Restore(restore::RestoreArgs),
    /// Compares what runs with the configuration, and writes it down.
    #[command(subcommand)]
    Config(config::ConfigCommand),
}

fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            // Nothing can be done where not even this can be printed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let done = match command {
        Command::Status(options) => status::run(&options),
        Command::Watch(options) => watch::run(options),
        Command::Stream(options) => stream::run(&options),
        Command::Channels(command) => channels::run(&command),
        Command::Order(options) => command::run(&options),
        Command::Page(options) => page::run(&options),
        Command::Token(command) => token::run(&command),
        Command::Login(options) => login::run(&options),
        Command::Logout(options) => login::log_out(&options),
        Command::Rules(command) => match rules::run(&command) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Command::Simulate(options) => simulate::run(&options),
        Command::Replay(options) => replay::run(&options),
        Command::Why(options) => why::run(&options),
        Command::History(options) => history::run(&options),
        Command::Person(options) => person::run(&options),
        Command::Undo(options) => undo::run(&options),
        Command::Say(options) => say::run(&options),
        Command::Ban(options) => moderate::ban(&options),
        Command::Timeout(options) => moderate::time_out(&options),
        Command::Unban(options) => moderate::unban(&options),
        Command::Delete(options) => moderate::delete(&options),
        Command::Devlog(options) => devlog::run(&options),
        Command::Export(options) => export::run(&options),
        Command::Import(options) => import::run(&options),
        Command::Forget(options) => forget::run(&options),
        Command::Backup(options) => backup::run(&options),
        Command::Restore(options) => match restore::run(&options) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Command::Config(command) => config::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("heat: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// What has no answer of heatd, or one that is a file of its own form.
    const WITHOUT_JSON: [&str; 4] =
        ["heat export", "heat config export", "heat rules new", "heat rules pack"];

    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<(String, clap::Command)>) {
        let has_own = command.get_arguments().any(|it| it.get_id() == "json");
        if !command.has_subcommands() || has_own {
            found.push((path.to_owned(), command.clone()));
        }
        for below in command.get_subcommands() {
            leaves(below, &format!("{path} {}", below.get_name()), found);
        }
    }

    #[test]
    fn every_command_has_examples_and_answers_with_json() {
        let mut found = Vec::new();
        leaves(&Command::command(), "heat", &mut found);
        assert!(found.len() > 30, "{}", found.len());
        for (path, mut command) in found {
            let help = command.render_long_help().to_string();
            let below = help.split_once("Examples:\n").map_or("", |(_, below)| below);
            assert!(
                below.lines().any(|line| line.trim_start().starts_with(&path)),
                "{path} has no example of its own: {help}"
            );
            let has_json = command.get_arguments().any(|it| it.get_id() == "json");
            assert_eq!(has_json, !WITHOUT_JSON.contains(&path.as_str()), "{path}");
        }
    }
}
