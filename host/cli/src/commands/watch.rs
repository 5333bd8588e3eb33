//! `heat watch`: what happens, as it happens. From heatd, or straight from Twitch chat where there is none.
//!
//! [`source`] brings [`news`] from a thread: [`daemon`] or [`chat`] runs there. [`entry`] is one of them as JSON has it, [`board`] knows
//! what stands and turns entries into lines ([`line`]), [`gauge`] draws the heat. [`plain`] prints the lines, [`screen`] keeps a terminal of them:
//! [`look`] says how it looks, [`colours`] makes names readable, [`pictures`] has those of emotes, [`keys`] is what keys do, [`acts`] what is sent.

mod acts;
mod board;
mod chat;
mod colours;
mod daemon;
mod entry;
mod gauge;
mod irc;
mod keys;
mod line;
mod look;
mod news;
mod pictures;
mod plain;
mod screen;
mod source;

use std::io::{IsTerminal, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::api::{Api, Failure};
use crate::find::{Environment, Missing, Place};
use crate::target::channel_name;
use crate::terminal::note;
use acts::ActSender;
use board::Board;
use chat::Server;
use colours::Theme;
use daemon::Follower;
use look::Look;
use pictures::PictureMode;
use source::Source;

/// How long ending may take after a signal.
const GRACE: Duration = Duration::from_secs(2);

/// How many of the last lines of each channel a screen begins with.
const LAST: u16 = 100;

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat watch                             ? shows the keys
  heat watch --channel somebody          without heatd: their Twitch chat
  heat watch --theme light
  heat watch --json | jq 'select(.kind == \"output\") | .text'";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct WatchArgs {
    /// Only this channel. Where no heatd is found, its Twitch chat is read without one.
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// The output that is drawn as a gauge.
    #[arg(long, value_name = "NAME", default_value = "heat")]
    output: String,
    /// Reads Twitch chat without heatd and without a login: no rules, no heat.
    #[arg(long, requires = "channel", conflicts_with_all = ["url", "data"])]
    no_daemon: bool,
    /// Plain lines instead of a screen, as when the output is no terminal.
    #[arg(long)]
    plain: bool,
    /// One JSON object a line, as heatd sends them.
    #[arg(long, conflicts_with = "plain")]
    json: bool,
    /// How many of the last lines of each channel come first: 100 on a screen, none as lines. Without heatd there are none.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=500))]
    last: Option<u16>,
    /// The background of the terminal.
    #[arg(long, value_enum, value_name = "THEME")]
    theme: Option<Theme>,
    /// Shows emotes as pictures. Their providers see the address of this machine.
    #[arg(long, value_enum, value_name = "HOW")]
    pictures: Option<PictureMode>,
    /// Settings of the screen; without it `heat/watch.toml` among the settings of this system, if it is there.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Ends when heatd or chat ends, instead of waiting until it is back.
    #[arg(long)]
    once: bool,
    /// A text that stays in sight on the screen, such as the link of the demo.
    #[arg(long, hide = true, value_name = "TEXT")]
    sign: Option<String>,
    #[command(flatten)]
    place: Place,
    /// The chat server, for tests.
    #[arg(long, hide = true, value_name = "HOST:PORT", default_value = "irc.chat.twitch.tv:6697")]
    server: Server,
    /// Who is asked for pictures, for tests.
    #[arg(long, hide = true, value_name = "URL")]
    pictures_from: Option<String>,
    /// Without encryption, for tests.
    #[arg(long, hide = true)]
    no_tls: bool,
}

pub(crate) fn run(options: WatchArgs) -> Result<()> {
    let stop = stop_signal()?;
    let channel = options.channel.as_deref().map(channel_name).transpose()?;
    let is_plain = options.json || options.plain || !stdout().is_terminal();
    let mut look = Look::of(options.settings.as_deref(), options.theme)?;
    look.settings.pictures = options.pictures.unwrap_or(look.settings.pictures);
    look.pictures_from.clone_from(&options.pictures_from);
    let source = open(&options, channel.as_deref(), is_plain)?;
    let board = Board::new(&options.output, source.has_heat());
    if is_plain {
        let style = if options.json { plain::LineFormat::Json } else { plain::LineFormat::Lines };
        plain::run(source, board, style, &stop)
    } else {
        let sender = source.has_heat().then(|| ActSender::new(options.place.clone()));
        screen::run(source, board, look, sender, options.sign, &stop)
    }
}

/// True from Ctrl-C, SIGTERM and SIGHUP on.
#[expect(
    clippy::disallowed_methods,
    reason = "a thread that waits for a terminal that is gone cannot be told to return"
)]
fn stop_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&stop);
    let end = move || {
        handler.store(true, Ordering::Relaxed);
        // Everything looks at that several times a second, unless it waits for a terminal or a pipe that takes nothing any more.
        sleep(GRACE);
        let _ = ratatui::try_restore();
        std::process::exit(0);
    };
    ctrlc::set_handler(end).context("failed to wait for signals")?;
    Ok(stop)
}

/// Finds where the news come from.
fn open(options: &WatchArgs, channel: Option<&str>, is_plain: bool) -> Result<Source> {
    let around = Environment::of_this_process();
    let reason = if options.no_daemon {
        None
    } else {
        match ask(options, &around, channel, is_plain) {
            Ok(follower) => return Source::daemon(follower),
            Err(NoFeed { absent: true, error })
                if channel.is_some() && !options.place.is_said() =>
            {
                Some(error)
            }
            Err(NoFeed { error, .. }) => return Err(error),
        }
    };
    let Some(channel) = channel else { bail!("without heatd, --channel must name a channel") };
    if let Some(reason) = reason {
        note(&format!("{reason:#}"));
        note(&format!("so Twitch chat of #{channel} is read without heatd: no rules, no heat"));
    }
    let mut server = options.server.clone();
    server.tls = !options.no_tls;
    Source::chat(server, channel.to_owned(), options.once)
}

/// Why heatd was not asked, and whether that is because there is none.
struct NoFeed {
    absent: bool,
    error: anyhow::Error,
}

fn ask(
    options: &WatchArgs,
    around: &Environment,
    channel: Option<&str>,
    is_plain: bool,
) -> Result<Follower, NoFeed> {
    let place = options.place.clone();
    let daemon = place.find(around).map_err(|missing| NoFeed {
        absent: matches!(missing, Missing::Nowhere(_)),
        error: missing.into(),
    })?;
    let last = options.last.unwrap_or(if is_plain { 0 } else { LAST });
    let feed = Api::new(daemon).watch(channel, last).map_err(|failure| NoFeed {
        absent: matches!(failure, Failure::Unreachable(_)),
        error: failure.into(),
    })?;
    Ok(Follower::new(place, channel.map(str::to_owned), last, options.once, feed))
}
