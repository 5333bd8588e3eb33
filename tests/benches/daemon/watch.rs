//! What `heat watch` takes on a terminal of 200 by 50 (tmux): processor time while chat is fast, how late a line is seen, and what happens when chat is
//! far too fast.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use heat_tests::figures::{Figure, Samples};
use heat_tests::processes::binary;
use heat_tests::terminal::Terminal;

use crate::setup::{Setup, progress};
use crate::stage::{CHANNEL, Stage, seaside};
use crate::usage::{cpu_ms_of_all, memory};

/// Lines a second.
const RATE: u64 = 200;

/// How many times as fast chat is for a while.
const TOO_FAST: u64 = 20;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let stage = Stage::new(setup)?;
    let (rules, _) = stage.chain()?;
    let _heatd = stage.heatd(&seaside(), &rules)?;
    let (heat, name) =
        (binary("heat")?.display().to_string(), format!("bench-{}", std::process::id()));
    let screen = Terminal::start(&name, (200, 50), &stage.path(""), &[&heat, "watch"])?;
    let plain = Plain::start(&stage)?;
    screen.wait_for("#seaside: ")?;
    usual(setup, &stage, &screen, &plain)?;
    late(setup, &stage, &screen)?;
    too_fast(setup, &stage, &screen)?;
    let taken = memory(screen.process()?)?.resident;
    Figure::new("watch", "memory with all of these lines kept", "MB", taken).print()
}

/// The same as lines that go nowhere. It ends when this is dropped.
struct Plain(Child);

impl Plain {
    fn start(stage: &Stage<'_>) -> Result<Self> {
        let mut command = Command::new(binary("heat")?);
        command.args(["watch", "--plain"]).current_dir(stage.path(""));
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?))
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends so many lines a second for so long.
fn talk(stage: &Stage<'_>, rate: u64, long: Duration) {
    let started = Instant::now();
    let mut sent = 0;
    while started.elapsed() < long {
        let due = (started.elapsed().as_secs_f64() * rate as f64) as u64;
        for number in sent..due {
            stage.chat.say(CHANNEL, &format!("fan{}", number % 500), "what a song, and on it goes");
        }
        sent = due;
        sleep(Duration::from_millis(2));
    }
}

fn usual(setup: &Setup, stage: &Stage<'_>, screen: &Terminal, plain: &Plain) -> Result<()> {
    let long = Duration::from_secs(setup.pick(2, 20));
    progress(&format!("{RATE} lines a second for {} s", long.as_secs()));
    let before = [cpu_ms_of_all(screen.process()?)?, cpu_ms_of_all(plain.0.id())?];
    talk(stage, RATE, long);
    let after = [cpu_ms_of_all(screen.process()?)?, cpu_ms_of_all(plain.0.id())?];
    let share = |place: usize| (after[place] - before[place]) / long.as_millis() as f64 * 100.0;
    let name = format!("processor time at {RATE} lines a second");
    let figure = Figure::new("watch", &name, "%", share(0)).at_most(5.0);
    figure.floor("as plain lines", share(1)).print()
}

/// How long after it was sent a line can be read, while chat is as fast as before.
fn late(setup: &Setup, stage: &Stage<'_>, screen: &Terminal) -> Result<()> {
    let mut took = Samples::default();
    for round in 0..setup.pick(3, 50) {
        talk(stage, RATE, Duration::from_millis(300));
        let word = format!("probe-{round}-end");
        let started = Instant::now();
        stage.chat.say(CHANNEL, "ann", &word);
        while !screen.seen()?.contains(&word) {
            ensure!(started.elapsed() < Duration::from_secs(20), "a line is never seen");
        }
        took.push(started.elapsed().as_secs_f64() * 1e3);
    }
    let name = "a line can be read, with the time that tmux takes to say so";
    Figure::median("watch", name, "ms", &took).print()?;
    let name = "the same, the latest of all";
    Figure::new("watch", name, "ms", took.quantile(1.0)).at_most(100.0).print()
}

/// Far more than can be drawn: it goes on, says what it left out, and has the last line soon after.
fn too_fast(setup: &Setup, stage: &Stage<'_>, screen: &Terminal) -> Result<()> {
    let long = Duration::from_secs(setup.pick(2, 10));
    progress(&format!("{} lines a second for {} s", RATE * TOO_FAST, long.as_secs()));
    let before = cpu_ms_of_all(screen.process()?)?;
    talk(stage, RATE * TOO_FAST, long);
    stage.chat.say(CHANNEL, "ann", "the last of all");
    let started = Instant::now();
    screen.wait_for("the last of all")?;
    let late = started.elapsed().as_secs_f64() * 1e3;
    let busy = (cpu_ms_of_all(screen.process()?)? - before) / long.as_millis() as f64 * 100.0;
    let rate = RATE * TOO_FAST;
    Figure::new("watch", &format!("processor time at {rate} lines a second"), "%", busy).print()?;
    Figure::new("watch", "after them, until the last line can be read", "ms", late).print()
}
