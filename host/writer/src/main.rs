//! heat-writer keeps the text file that OBS or Streamlabs shows: MQTT in, text file out. It runs on the streaming PC and
//! wakes only when something happens.
//!
//! The parts, in the order of the data:
//! - [`args`], [`sheet`], [`sheet_file`], [`settings`] ([`connection`], [`texts`], [`mistake`]): command line or settings file, checked, in final types
//!   ([`address`], [`exposed`], [`topic`], [`durations`], [`tls`]);
//! - [`link`]: the connection to the broker ([`backoff`], [`trouble`]);
//! - [`writer`]: the one loop, owner of all state ([`presence`], [`show`], [`survey`]);
//! - [`meter`], [`template`], [`text`]: a message becomes a line of text;
//! - [`file_thread`]: each file has a thread of its own, in which the line becomes the file ([`mod@file`], [`replace`]), when it may ([`outlet`]).
//!
//! Everything but `link`, `writer`, `show`, `file_thread`, `file`, `replace` and the reading of settings is pure.

mod args;
mod sheet;
mod sheet_file;

mod connection;
mod mistake;
mod settings;
mod texts;

mod address;
mod durations;
mod exposed;
mod tls;
mod topic;

mod backoff;
#[cfg(test)]
mod fuzz;
mod link;
mod trouble;

mod presence;
mod show;
mod survey;
mod writer;

mod meter;
mod template;
mod text;

mod file;
mod file_thread;
mod outlet;
mod replace;

mod report;
mod shutdown;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use tokio::runtime;
use tokio::sync::{mpsc, watch};

use crate::args::Args;
use crate::link::Interest;
use crate::settings::Settings;
use crate::writer::Writer;

/// A mistake in the settings (EX_USAGE): starting the program again does not help.
const MISTAKE: u8 = 64;

/// News that may wait. Few: a waiting message can be as large as the broker may send.
const WAITING_NEWS: usize = 8;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(MISTAKE) } else { ExitCode::SUCCESS };
        }
    };
    // An empty password is what a script sets to have none.
    let password = std::env::var("HEAT_PASSWORD").ok().filter(|password| !password.is_empty());
    let settings = match Settings::load(args, password) {
        Ok(settings) => settings,
        Err(error) => {
            report::mistake(format!("{error:#}"));
            return ExitCode::from(MISTAKE);
        }
    };
    match start(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::say(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// One thread does everything but the files, each of which has its own; another one lives for a moment whenever the broker's name is
/// looked up.
fn start(settings: Settings) -> Result<()> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::from_millis(10))
        .build()
        .context("failed to start")?;
    let done = runtime.block_on(run(settings));
    // A name that is still being looked up must not hold the end up.
    runtime.shutdown_background();
    done
}

/// The whole program: the link sends news, the writer takes them. When the writer is told to end it writes the last
/// texts and drops the news, and that ends the link.
async fn run(settings: Settings) -> Result<()> {
    let shutdown = shutdown::requested()?;
    let (sender, news) = mpsc::channel(WAITING_NEWS);
    let Settings { connection, texts } = settings;
    let (version, broker) = (env!("CARGO_PKG_VERSION"), &connection.endpoint);
    report::say(format!("version {version}, connecting to {broker}"));
    if connection.login.is_some() && connection.tls.is_none() {
        exposed::warn(broker).await;
    }
    let (listen, listening) = watch::channel(false);
    let interest = Interest {
        filters: texts.filters(),
        all_outputs: texts.prefix.all_outputs(),
        listen: listening,
    };
    let link = tokio::spawn(link::run(connection, interest, sender));
    let writer = Writer::start(texts, Instant::now(), listen)?;
    writer.run(news, shutdown).await;
    link.await.context("the connection to the broker failed inside")
}
