//! A hundred open pages, without their browsers: each makes the requests of one that is seen (host/dashboard), while people talk in four
//! channels. What that costs heatd beside the same talk without any page.

mod browser;
mod http;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use heat_tests::figures::{Figure, Samples};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;
use heat_tests::twitch::{Line, Server};

use crate::setup::{Setup, progress};
use crate::stage::Stage;
use crate::usage::cpu_ms_of_all;
use browser::{Browser, Heard, Shared};
use http::ask;

const CHANNELS: usize = 4;

/// In all channels together; two in a hundred are faves.
const LINES_A_SECOND: u32 = 200;

/// Who has the pages open. Viewers share a token, and so do moderators.
const VIEWERS: usize = 76;
const MODERATORS: usize = 18;
const OWNERS: usize = 6;

/// So often another page is opened. Who shares a token shares its pace, and a page begins with some questions.
const OPENING: Duration = Duration::from_millis(400);

/// The most that all pages may take of a core.
const MOST: f64 = 5.0;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let stage = Stage::new(setup)?;
    let channels: Vec<String> = (0..CHANNELS).map(|number| format!("channel{number}")).collect();
    let (rules, _) = stage.chain()?;
    let rules = rules.replace("half_life = \"0s\"", "half_life = \"30s\"");
    let heatd = stage.heatd(&channels, &rules)?;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| talk(&stage.chat, &channels, &over));
        let measured = measure(setup, &stage, &heatd, &channels);
        over.store(true, Ordering::Relaxed);
        measured
    })
}

fn measure(setup: &Setup, stage: &Stage<'_>, heatd: &Program, channels: &[String]) -> Result<()> {
    let (seconds, rounds) = (setup.pick(10, 60), setup.pick(1, 3));
    // The first lines of a channel call its rules for the first time.
    eventually("people to talk", || match stage.figure("heatd_chat_lines_total") {
        Ok(lines) if lines > u64::from(LINES_A_SECOND) * 5 => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    let (mut without, mut with) = (Samples::default(), Samples::default());
    for _ in 0..rounds {
        without.push(share(heatd, seconds)?);
    }
    let pages = open(stage, channels)?;
    for _ in 0..rounds {
        with.push(share(heatd, seconds)?);
    }
    let told = pages.close(seconds * rounds)?;
    progress(&format!(
        "a page hears {told:.1} events a second; heatd takes {:.1} %",
        with.median()
    ));
    let name = format!(
        "100 open pages, in four channels with {LINES_A_SECOND} lines/s together: what heatd takes more than without them"
    );
    Figure::new("page", &name, "% of a core", (with.median() - without.median()).max(0.0))
        .floor("the same chat without a page, which is not in it", without.median())
        .at_most(MOST)
        .print()
}

/// How much of a core heatd takes in so many seconds.
fn share(heatd: &Program, seconds: u64) -> Result<f64> {
    let (before, start) = (cpu_ms_of_all(heatd.id())?, Instant::now());
    thread::sleep(Duration::from_secs(seconds));
    let took = start.elapsed().as_secs_f64() * 1000.0;
    Ok((cpu_ms_of_all(heatd.id())? - before) * 100.0 / took)
}

/// Everything that is open.
struct Pages {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Result<()>>>,
}

/// Opens all pages, one after the other, and returns once each of them hears something.
fn open(stage: &Stage<'_>, channels: &[String]) -> Result<Pages> {
    let (port, owner) = stage.api()?;
    let token = |role: &str| {
        let body = format!("{{\"role\":\"{role}\",\"name\":\"{role}s\"}}");
        let answer = ask(port, &owner, "POST", "tokens", &body)?;
        answer["token"].as_str().map(str::to_owned).context("no token was made")
    };
    let (viewer, moderator) = (token("viewer")?, token("moderator")?);
    let tokens = [(&viewer, VIEWERS), (&moderator, MODERATORS), (&owner, OWNERS)];
    let all = tokens.into_iter().flat_map(|(token, count)| std::iter::repeat_n(token, count));
    let shared = Arc::new(Shared::default());
    let mut threads = Vec::new();
    progress("a hundred pages are opened");
    for (number, token) in all.enumerate() {
        let browser = Browser {
            port,
            token: token.clone(),
            channel: channels[number % channels.len()].clone(),
            // Most leave what a page begins with.
            interval: if number % 4 == 0 { "1s" } else { "5s" },
            is_public: token == &viewer,
            heard: Arc::new(Heard::default()),
            shared: Arc::clone(&shared),
        };
        shared.pages.lock().expect("nobody panics with it").push(Arc::clone(&browser.heard));
        let polls = browser.clone();
        threads.push(thread::spawn(move || browser.follow()));
        threads.push(thread::spawn(move || polls.look_again_and_again()));
        thread::sleep(OPENING);
    }
    let pages = Pages { shared, threads };
    eventually("each page to hear of bins", || {
        let silent = pages.heard().into_iter().filter(|(bins, _)| *bins == 0).count();
        if silent == 0 { Ok(()) } else { Err(format!("{silent} have not")) }
    })?;
    pages.shared.begin_anew();
    Ok(pages)
}

impl Pages {
    /// Of each page how many bins and how many events it was told of.
    fn heard(&self) -> Vec<(u64, u64)> {
        let pages = self.shared.pages.lock().expect("nobody panics with it");
        pages.iter().map(|heard| heard.told()).collect()
    }

    /// Ends them all. How many events a page heard in a second. An error where one has missed something.
    fn close(self, seconds: u64) -> Result<f64> {
        let heard = self.heard();
        self.shared.over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().map_err(|_| anyhow::anyhow!("a page has failed"))??;
        }
        let fewest = heard.iter().map(|(bins, _)| *bins).min().unwrap_or(0);
        ensure!(
            fewest + 1 >= seconds / 5,
            "a page heard of {fewest} bins of 5 s in {seconds} seconds"
        );
        let events: u64 = heard.iter().map(|(_, events)| events).sum();
        Ok(events as f64 / heard.len() as f64 / seconds as f64)
    }
}

/// Lets people talk in all channels until it is over.
fn talk(chat: &Server, channels: &[String], over: &AtomicBool) {
    let start = Instant::now();
    for number in 0_u32.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let due = start + Duration::from_secs(1) * number / LINES_A_SECOND;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let channel = &channels[number as usize % channels.len()];
        let text =
            if number % 51 == 0 { "?fave Plastic Love" } else { "what a song, turn it up LUL" };
        let line = Line::chat(channel, &format!("person{}", number % 500), text);
        chat.send(channel, &line.emote("425618", "LUL"));
    }
}
