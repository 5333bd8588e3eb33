//! What a line of chat costs heatd, from the socket to the commit. Beside it, on the same lines at the same time, a bare loop that
//! reads them and takes them apart.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use heat_tests::figures::{Figure, Samples};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;
use heat_tests::twitch::Line;

use crate::setup::{Setup, progress};
use crate::stage::Stage;
use crate::usage::cpu_ms;

const CHANNELS: u64 = 25;

/// In each channel.
const LINES_A_SECOND: u64 = 10;

/// Plain chat is committed at the latest after so long (`flush`), and a moment for the commit itself.
const FLUSHED: Duration = Duration::from_millis(5_500);

/// At 250 lines a second 80 ms for 1,000 lines are 2 % of a core.
const MOST_MS: f64 = 80.0;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let stage = Stage::new(setup)?;
    let channels: Vec<String> = (0..CHANNELS).map(|number| format!("channel{number}")).collect();
    let (rules, names) = stage.chain()?;
    progress("heatd joins 25 channels; Twitch allows 20 in 10 seconds");
    let heatd = stage.heatd(&channels, &rules)?;
    let mut bare = Command::new(&setup.lines);
    bare.arg(stage.chat.addr().to_string()).args(&channels);
    let before = stage.chat.connections_made();
    let bare = Program::start(bare)?;
    eventually("the bare reader in every channel", || {
        let joins = stage.chat.joins();
        let new = joins.iter().filter(|join| join.connection > before).count();
        if new as u64 == CHANNELS { Ok(()) } else { Err(format!("{new} joins")) }
    })?;
    let (mut talk, rounds) =
        (Talk { stage: &stage, heatd, bare, channels, lines: 0, faves: 0 }, setup.pick(1, 5));
    // The first line of a channel calls its rules for the first time.
    talk.round(1, 50)?;
    for (what, faves) in [("plain chat", 0), ("chat with 2 % ?fave", 2)] {
        let (mut costs, mut floors) = (Samples::default(), Samples::default());
        for _ in 0..rounds {
            let (cost, floor) = talk.round(setup.pick(4, 20), faves)?;
            costs.push(cost);
            floors.push(floor);
        }
        let name = format!(
            "processor time for 1,000 lines, {what}, 25 channels at 10 lines/s, rules {}",
            names.join(", ")
        );
        Figure::median("chat", &name, "ms", &costs)
            .floor("tokio loop with twitch-irc's parser", floors.median())
            .at_most(MOST_MS)
            .print()?;
        Figure::new("chat", &format!("share of a core, {what}"), "%", costs.median() * 250.0 / 1e4)
            .floor("tokio loop with twitch-irc's parser", floors.median() * 250.0 / 1e4)
            .at_most(2.0)
            .print()?;
    }
    Ok(())
}

struct Talk<'a> {
    stage: &'a Stage<'a>,
    heatd: Program,
    bare: Program,
    channels: Vec<String>,
    /// Sent so far.
    lines: u64,
    faves: u64,
}

impl Talk<'_> {
    /// Lets everybody talk for so long. Milliseconds of processor time for 1,000 lines, of heatd and of the bare reader.
    fn round(&mut self, seconds: u64, faves_in_hundred: u64) -> Result<(f64, f64)> {
        let lines = seconds * CHANNELS * LINES_A_SECOND;
        let before = (cpu_ms(self.heatd.id())?, cpu_ms(self.bare.id())?);
        let start = Instant::now();
        for number in 0..lines {
            let due = start + Duration::from_secs(seconds).mul_f64(number as f64 / lines as f64);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            // Faves are spread over channels and time.
            let place = (number + number / CHANNELS) % 50;
            self.say(number % CHANNELS, place * 2 < faves_in_hundred);
        }
        self.stage.wait_for_figure("heatd_chat_lines_total", self.lines)?;
        self.check_bare()?;
        thread::sleep(FLUSHED);
        let after = (cpu_ms(self.heatd.id())?, cpu_ms(self.bare.id())?);
        ensure!(
            self.stage.figure("heatd_faves_total")? == self.faves,
            "heatd counted other faves than the {} that were sent",
            self.faves
        );
        let each = |before: f64, after: f64| (after - before) * 1000.0 / lines as f64;
        Ok((each(before.0, after.0), each(before.1, after.1)))
    }

    fn say(&mut self, channel: u64, fave: bool) {
        let text =
            if fave { "?fave Midnight Pretenders" } else { "what a song, turn it up please LUL" };
        self.lines += 1;
        self.faves += u64::from(fave);
        let channel = &self.channels[channel as usize];
        let line = Line::chat(channel, &format!("person{}", self.lines % 500), text)
            .badge("subscriber/12");
        self.stage.chat.send(channel, &line);
    }

    /// An error unless the bare reader has read every line.
    fn check_bare(&mut self) -> Result<()> {
        // It was asked as often as it has answered. heatd reads the questions as lines like any other.
        let asked = self.bare.lines().len();
        let expected = format!("{} lines", self.lines - asked as u64);
        let question = Line::chat(&self.channels[0], "bench", "?count");
        self.stage.chat.send(&self.channels[0], &question);
        self.lines += 1;
        self.bare.wait_for_line_after(asked, |line| line == expected)?;
        Ok(())
    }
}
