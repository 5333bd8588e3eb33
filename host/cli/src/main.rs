//! heat: the command line of Heat Level. It asks heatd, and without one it reads chat by itself.
//!
//! Reading order: [`find`] says where heatd and its token are, [`api`] asks it, [`feed`] and [`steps`] are answers that take time. Then the
//! commands: [`status`], [`stream`], [`channels`], [`command`] and [`watch`]; [`token`], for whoever lets others in; [`backup`] and [`restore`], for which [`beside`] finds the program heatd; [`rules`],
//! [`simulate`], [`replay`], [`why`], [`undo`] and [`config`], which find
//! their slot by [`target`] and read what is typed by [`candidate`], [`values`] and [`when`]. [`clean`] keeps what strangers write from
//! playing with the terminal, [`export`], [`import`] and [`forget`] carry data with [`progress`], [`words`] says numbers to people, [`table`] sets them in rows, [`backoff`] waits.

mod api;
mod backoff;
mod backup;
mod beside;
mod candidate;
mod channels;
mod clean;
mod command;
mod config;
mod export;
mod feed;
mod find;
mod forget;
mod import;
mod progress;
mod replay;
mod restore;
mod rules;
mod simulate;
mod status;
mod steps;
mod stream;
mod table;
mod target;
mod token;
mod undo;
mod values;
mod watch;
mod when;
mod why;
mod words;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

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
  heat rules new streak --lang rust
  heat token new --role moderator --name ann
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
    Status(status::Options),
    /// Shows what happens: chat, events, what rules answer, and the heat. Ends with q or Ctrl-C.
    Watch(watch::Options),
    /// Says that the stream starts or ends, which rules may act on.
    Stream(stream::Options),
    /// Shows, adds and removes channels while heatd runs.
    #[command(subcommand)]
    Channels(channels::Command),
    /// Gives rules an order that moderators give in chat: ?heat set 50, ?heat pause.
    #[command(name = "command")]
    Order(command::Options),
    /// Shows and changes rules while they run, and helps whoever writes them: new, test, bench, pack.
    #[command(subcommand)]
    Rules(rules::Command),
    /// Shows what rules would answer to something that did not happen.
    Simulate(simulate::Options),
    /// Plays the log again with another rule or other settings, and compares.
    Replay(replay::Options),
    /// Shows which events and rules are behind what an output shows.
    Why(why::Options),
    /// Takes back what a person, an event or a version of a rule has brought.
    Undo(undo::Options),
    /// Makes links for others: for moderators, and for who may only watch.
    #[command(subcommand)]
    Token(token::Command),
    /// Writes counts and log as lines of JSON.
    Export(export::Options),
    /// Adds counts from a file: of `heat export`, or of the original's database.
    Import(import::Options),
    /// Removes a person from log and counts, as if they had never been there.
    Forget(forget::Options),
    /// Has heatd make a verified copy of everything that it keeps, while it runs.
    Backup(backup::Options),
    /// Puts a backup into the place of heatd's store; lists the backups without a FILE.
    Restore(restore::Options),
    /// Compares what runs with the configuration, and writes it down.
    #[command(subcommand)]
    Config(config::Command),
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
        Command::Token(command) => token::run(&command),
        Command::Rules(command) => match rules::run(&command) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Command::Simulate(options) => simulate::run(&options),
        Command::Replay(options) => replay::run(&options),
        Command::Why(options) => why::run(&options),
        Command::Undo(options) => undo::run(&options),
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

/// A line for the person at the terminal, beside what was asked for.
fn note(line: &str) {
    // Where nobody listens, there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{}", clean::text(line));
}

/// The answer of a command. Where nobody reads it any more, that is no failure.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
