//! heatd: the Heat Level daemon. Rules decide, the engine commits, the daemon connects.
//!
//! Reading order: [`daemon`] is the wiring of all tasks on one page, [`config`] what it is told. Then the life of an event: [`chat`] or [`broker`]
//! takes it in, [`queue`] holds the doors of the engine's thread, [`decider`] is its loop, [`broker`] shows what came of it. [`clock`] is the time,
//! [`emotes`] adds to lines of chat what their words are, [`account`] is what heatd is logged in as; with that [`helix`] asks Twitch, [`eventsub`] hears it, [`live_status`] knows which streams are live, [`names`] who people are, and [`voice`] speaks. [`facts`] says who is believed. [`line`] is
//! what a line of chat says. [`embedded`] is a broker inside heatd. [`control`] is what is done to rules and channels
//! while they run. [`http`] is for clients and machines, [`view`] is what it tells beside the figures of [`metrics`]; [`data`] is the data folder;
//! [`backup`] copies the store while it is in use. [`rule_file`] reads rules, and [`compiler`] has them compiled in a process of their own. [`offline`] has the commands beside the daemon. [`web`] asks other services; [`tls`], [`secret`], [`shutdown`] and [`backoff`] serve all of these.

mod account;
mod backoff;
mod backup;
mod broker;
mod chat;
mod clock;
mod compiler;
mod config;
mod control;
mod daemon;
mod data;
mod decider;
mod embedded;
mod emotes;
mod eventsub;
mod facts;
mod helix;
mod http;
mod line;
mod live_status;
mod metrics;
mod names;
mod offline;
mod queue;
mod rule_file;
mod secret;
mod shutdown;
mod terminal;
mod tls;
mod view;
mod voice;
mod web;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};
use heat_engine::OpenError;

use compiler::child::{self, ResourceLimits};
use offline::{authoring, init, rename, restore};
use terminal::{BAD_CONFIGURATION, LogFormat, fail, print, refuse, start_log};

/// The Heat Level daemon: reads Twitch chat and MQTT, lets rules decide, keeps the counts, and shows the heat by MQTT.
#[derive(Parser)]
#[command(name = "heatd", version)]
enum Command {
    /// Makes a folder to run from: a commented configuration, the rules, a user for the writer. Asks where OBS runs.
    Init(init::InitOptions),
    /// Runs the daemon until Ctrl-C or SIGTERM.
    Run(RunOptions),
    /// Checks the configuration and the rules, and prints what would run. Opens no socket and no store.
    Check(RunOptions),
    /// Puts a backup into the place of the store, and keeps the one that was there; lists the backups without a FILE. heatd must not run.
    Restore(restore::RestoreOptions),
    /// Adds what was counted under a channel's login before to its login of now. heatd does so by itself, unless both have counts. heatd must not run.
    Rename(rename::RenameOptions),
    /// For whoever writes rules: plays the cases of a component, and measures its calls. Opens no socket and no store.
    #[command(subcommand)]
    Rule(authoring::RuleCommand),
    /// Loads the component on its standard input, and writes its compiled code. heatd starts this.
    #[command(hide = true)]
    Compile {
        #[command(flatten)]
        limits: ResourceLimits,
        /// Bytes of memory that the component may have.
        memory: usize,
        /// Gives way to chat, if the component is large.
        #[arg(long)]
        low_priority: bool,
    },
}

#[derive(Args)]
struct RunOptions {
    /// The configuration file. The commented reference is heatd.toml beside the sources of heatd.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// How log lines look: for people, or one JSON object a line.
    #[arg(long, value_enum, default_value = "text")]
    log_format: LogFormat,
}

fn main() -> ExitCode {
    hush_damage();
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            // Nothing can be done where not even this can be printed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { BAD_CONFIGURATION } else { 0 });
        }
    };
    match command {
        Command::Init(options) => match init::run(&options) {
            Ok(next) => {
                print(&next);
                ExitCode::SUCCESS
            }
            Err(error) => refuse(&format!("{error:#}\n")),
        },
        Command::Compile { limits, memory, low_priority } => {
            match child::run(&limits, memory, low_priority) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => refuse(&format!("{error:#}\n")),
            }
        }
        Command::Restore(options) => match restore::run(&options) {
            Ok(words) => {
                print(&words);
                ExitCode::SUCCESS
            }
            Err(error) => fail(&format!("heatd: {error:#}\n"), ExitCode::FAILURE),
        },
        Command::Rename(options) => match rename::run(&options) {
            Ok(words) => {
                print(&words);
                ExitCode::SUCCESS
            }
            Err(error) => fail(&format!("heatd: {error:#}\n"), ExitCode::FAILURE),
        },
        Command::Rule(command) => authoring::run(&command),
        Command::Run(options) => match prepare(&options, false) {
            Ok(prepared) => run(prepared),
            Err(Unprepared { words, code }) => fail(&words, code),
        },
        // The log of what is loaded is for a daemon; a check answers in its own words.
        Command::Check(options) => match prepare(&options, true) {
            Ok(prepared) => {
                print(&prepared.summary());
                ExitCode::SUCCESS
            }
            Err(Unprepared { words, code }) => fail(&words, code),
        },
    }
}

/// What damage makes redb say is an error with words of its own, and no panic for the terminal.
fn hush_damage() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !heat_engine::reads_a_store() {
            before(panic);
        }
    }));
}

/// Why nothing runs.
struct Unprepared {
    words: String,
    code: ExitCode,
}

impl From<String> for Unprepared {
    fn from(mistakes: String) -> Self {
        Self { words: mistakes, code: ExitCode::from(BAD_CONFIGURATION) }
    }
}

fn prepare(options: &RunOptions, check: bool) -> Result<daemon::Prepared, Unprepared> {
    let file = options.config.display();
    let text = std::fs::read_to_string(&options.config).map_err(|error| {
        format!("{file} cannot be read: {error}\n    `heatd init` writes a first one\n")
    })?;
    let mistakes = config::Mistakes::new(&options.config, &text);
    let config = config::Config::read(&text, &options.config, &mistakes);
    // The rules are asked as well, so that all mistakes are named at once; nothing is written then.
    let quiet = check || !mistakes.is_empty();
    start_log(if quiet { "error" } else { &config.log }, options.log_format);
    if !quiet {
        // A folder that cannot be made is no mistake of the configuration: the disk may come back.
        data::prepare(&config.data).map_err(|error| Unprepared {
            words: format!("{error:#}\n"),
            code: ExitCode::FAILURE,
        })?;
    }
    let prepared =
        daemon::Prepared::new(config, &mistakes, !quiet).map_err(|error| format!("{error:#}\n"))?;
    if !mistakes.is_empty() {
        return Err(mistakes.to_string().into());
    }
    Ok(prepared)
}

fn run(prepared: daemon::Prepared) -> ExitCode {
    match daemon::run(prepared) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "heatd ends");
            match error.downcast_ref() {
                // A rule that cannot take over its state is a matter of the configuration.
                Some(OpenError::Rule { .. }) => ExitCode::from(BAD_CONFIGURATION),
                _ => ExitCode::FAILURE,
            }
        }
    }
}
