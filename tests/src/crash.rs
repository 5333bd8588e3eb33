//! heatd killed with SIGKILL again and again, at random moments, while a client publishes faves with QoS 1 to mosquitto, which stays up.
//!
//! [`run`] does it and tells what became of each message. Every fave has an item of its own, so that a lost one and a doubled one
//! do not make up for each other. `cargo xtask crash` runs it on a release build, and a flow test on a debug build.

mod stage;
mod stream;
mod watch;

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::chat::random::Random;
use crate::figures::Samples;
use crate::processes::Program;
use stage::Stage;
pub use stream::END_WEIGHT;
use stream::{END, Stream};
use watch::Watch;

/// Of so many kills one comes at any time of the start, which takes as long as the last one did. The others wait until heatd serves.
const ONE_AT_START: u64 = 4;

/// Within this time after it serves heatd is killed: some commits.
const SERVING: Duration = Duration::from_millis(40);

/// Kills are added until each moment was hit, up to so many times those that were planned.
const AT_MOST: u64 = 3;

/// How many messages a broker may have under way to heatd, which says so with Receive Maximum. mosquitto 2.0 takes that number for a client
/// of MQTT 5, and its own `max_inflight_messages` for others: what waits for heatd comes at once.
const UNDER_WAY: u64 = 512;

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub kills: u64,
    /// At each of the moments that [`Report`] tells apart heatd is killed so often at least: where kills come at random, and none has come
    /// yet, there are more of them.
    pub each: u64,
    /// The payloads name ids.
    pub named: bool,
    pub seed: u64,
}

/// Reads the items of all counted faves from a store that nobody has open.
pub type Ledger = fn(&Path) -> Result<Vec<String>>;

/// What became of it.
#[derive(Debug, Default)]
pub struct Report {
    pub named: bool,
    /// Kills before heatd was connected to the broker.
    pub starting: u64,
    /// Kills after it took a message that it had not committed.
    pub deciding: u64,
    /// Kills after a commit: while it published outputs or acknowledged, or waited.
    pub committed: u64,
    /// Messages that the broker had acknowledged.
    pub sent: u64,
    pub counted: u64,
    pub lost: u64,
    pub doubled: u64,
    /// Milliseconds from a kill until a message counted again and its output was published, the restart included.
    pub recovery: Samples,
}

/// Kills as planned, lets heatd catch up, and reads what was counted. It is an error when the broker's retained output or
/// the text of heat-writer is not what the store says.
pub fn run(plan: &Plan, ledger: Ledger) -> Result<Report> {
    let stage = Stage::new()?;
    let watch = Watch::start(stage.broker.port())?;
    let mut chance = Random::new(plan.seed);
    let mut report = Report { named: plan.named, ..Report::default() };
    let mut heatd = stage.heatd()?;
    // Before there is a subscription, a broker acknowledges messages and keeps them for nobody.
    heatd.wait_for_line(|line| line.contains("subscribed"))?;
    let stream = Stream::start(stage.broker.port(), plan.named, watch.shown());
    watch.wait_until_served()?;
    let writer = stage.writer()?;
    let (mut is_serving, mut start) = (true, Duration::ZERO);
    while !report.is_enough(plan) {
        let within = if is_serving { SERVING } else { start };
        std::thread::sleep(within.mul_f64(chance.below(1_000) as f64 / 1e3));
        heatd.kill()?;
        let killed = Instant::now();
        report.note(&heatd);
        watch.begin();
        heatd = stage.heatd()?;
        is_serving = !chance.one_in(ONE_AT_START);
        if is_serving {
            start = watch.wait_until_served()?.saturating_duration_since(killed);
            report.recovery.push(start.as_secs_f64() * 1e3);
        }
    }
    report.sent = stream.end()?;
    let shown = watch.wait_for_the_end()?;
    stage.wait_for_text(&format!("🔥 HEAT LEVEL: {shown}"))?;
    let retained = stage.retained()?;
    ensure!(retained == shown, "the broker retains {retained}, and {shown} was published last");
    drop(writer);
    ensure!(heatd.terminate()?.success(), "heatd did not end well: {:?}", heatd.lines().last());
    report.count(&ledger(&stage.store())?, shown)?;
    Ok(report)
}

impl Report {
    /// Notes in what it was when it was killed, by its last words.
    fn note(&mut self, heatd: &Program) {
        // Its end is the end of what it has printed, too.
        let _ = heatd.wait_for_line(|_| false);
        let lines = heatd.lines();
        let last = lines.iter().rev().find_map(|line| {
            [("committed", true), ("message received", false)]
                .into_iter()
                .find_map(|(words, is_committed)| line.contains(words).then_some(is_committed))
        });
        match last {
            _ if !lines.iter().any(|line| line.contains("broker connected")) => self.starting += 1,
            Some(false) => self.deciding += 1,
            _ => self.committed += 1,
        }
    }

    fn count(&mut self, items: &[String], shown: u64) -> Result<()> {
        let mut times: HashMap<&str, u64> = HashMap::new();
        for item in items {
            *times.entry(item).or_default() += 1;
        }
        let end = times.remove(END).unwrap_or_default();
        ensure!(end == 1, "the last message was counted {end} times");
        self.counted = times.values().sum();
        ensure!(
            shown == self.counted + END_WEIGHT,
            "{shown} is shown, and {} are counted and the last one of {END_WEIGHT}",
            self.counted
        );
        self.doubled = times.values().map(|times| times - 1).sum();
        let is_lost = |number: &u64| !times.contains_key(stream::item(*number).as_str());
        self.lost = (0..self.sent).filter(is_lost).count() as u64;
        Ok(())
    }

    pub fn kills(&self) -> u64 {
        self.starting + self.deciding + self.committed
    }

    /// Of the kills at one moment, where they were the fewest.
    pub fn fewest(&self) -> u64 {
        self.starting.min(self.deciding).min(self.committed)
    }

    fn is_enough(&self, plan: &Plan) -> bool {
        let kills = self.kills();
        kills >= plan.kills && (self.fewest() >= plan.each || kills >= plan.kills * AT_MOST)
    }

    /// How many may be doubled: none of those with ids, and of the others what was under way at each kill.
    pub fn bound(&self) -> u64 {
        if self.named { 0 } else { self.kills() * UNDER_WAY }
    }

    /// Whether the promise was kept.
    pub fn is_kept(&self) -> bool {
        self.lost == 0 && self.doubled <= self.bound()
    }

    /// As it is printed.
    pub fn to_json(&self) -> Value {
        let milliseconds = |share: f64| self.recovery.quantile(share).round();
        json!({
            "ids": self.named,
            "kills": self.kills(),
            "while_starting": self.starting,
            "before_a_commit": self.deciding,
            "after_a_commit": self.committed,
            "sent": self.sent,
            "counted": self.counted,
            "lost": self.lost,
            "doubled": self.doubled,
            "doubled_at_most": self.bound(),
            "recovery_ms": {
                "restarts": self.recovery.len(),
                "p50": milliseconds(0.5),
                "p99": milliseconds(0.99),
                "max": milliseconds(1.0),
            },
            "kept": self.is_kept(),
        })
    }
}
