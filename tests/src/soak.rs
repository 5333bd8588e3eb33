//! heatd as it is run for weeks, in little time: many channels, chat faster than it was, the broker restarted and rules swapped all the
//! while. At the end every line must have been counted once, and memory, files and threads be where they were.
//!
//! [`load`] is the chat, [`stage`] the programs, [`trouble`] what is done to them, [`usage`] what the system says of heatd, [`report`]
//! what came of it.

mod load;
mod report;
mod stage;
mod trouble;
mod usage;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

pub use report::Report;

use load::{Sent, Talk};
use stage::Stage;
use trouble::Trouble;
use usage::Usage;

/// How often heatd is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// What is done.
#[derive(Debug, Clone)]
pub struct Options {
    pub heatd: PathBuf,
    pub writer: PathBuf,
    /// Where the components of the rules are.
    pub rules: PathBuf,
    /// Which of them run, in this order. `fave` and `decay` are two of them.
    pub chain: Vec<String>,
    /// A folder on a disk: what is written is told of the disk, and not of memory.
    pub scratch: PathBuf,
    pub time: Duration,
    pub channels: usize,
    pub speed: Speed,
    /// So many lines in a hundred are faves.
    pub faves: u64,
    /// As in heatd's configuration.
    pub flush: String,
    /// As in heatd's configuration; empty for a heatd that does not know it.
    pub gather: String,
    /// Of `decay`. With `"0s"` the heat is the number of faves, and the text file is held against it.
    pub half_life: String,
    /// How often a rule is swapped and an MQTT message sent, if at all.
    pub swap_every: Option<Duration>,
    /// How often the broker is restarted, if at all.
    pub restart_every: Option<Duration>,
}

/// How fast chat is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// So many times as fast as it was.
    Times(f64),
    /// So many lines a second in all channels together, on average.
    Lines(f64),
}

/// Runs until the time is over, and says what came of it. `tell` is told how it goes.
pub fn run(options: &Options, tell: &(dyn Fn(&str) + Sync)) -> Result<Report> {
    let (mut talk, chat) = Talk::new(options)?;
    tell(&format!("{} channels of {chat}, {:.0} lines/s", options.channels, talk.pace()));
    let stage = Stage::new(options)?;
    let usage = || Usage::read(stage.heatd(), &stage.store());
    let start = Instant::now();
    let (over, mut looks) = (AtomicBool::new(false), vec![usage()?]);
    let (sent, done) = thread::scope(|scope| -> Result<_> {
        let talking = scope.spawn(|| talk.run(&stage.chat, options.time));
        let trouble = scope.spawn(|| Trouble::new(&stage, options).run(&over));
        while !talking.is_finished() && !trouble.is_finished() {
            thread::sleep(LOOK);
            looks.push(usage()?);
            if looks.len() % 120 == 0 {
                tell(&stage.progress(start.elapsed())?);
            }
        }
        let sent: Sent = talking.join().ok().context("the chat panicked")??;
        over.store(true, Ordering::Relaxed);
        let done = trouble.join().ok().context("the trouble panicked")??;
        Ok((sent, done))
    })?;
    let took = start.elapsed();
    // Nothing more comes: what was sent has to be counted now.
    let counted = stage.counted(&sent, done.messages)?;
    looks.push(usage()?);
    let text = (options.half_life == "0s")
        .then(|| stage.text(sent.faves_of_first + done.messages))
        .transpose()?;
    let stopped = stage.stop()?;
    Ok(Report {
        chat,
        took,
        sent,
        done,
        counted,
        looks,
        text,
        stopped,
        flush: options.flush.clone(),
        gather: options.gather.clone(),
    })
}
