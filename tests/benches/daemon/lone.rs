//! What a fave costs that comes alone, with nobody to share its commit: processor time of all of heatd. Beside it, in turn, the least that
//! it can cost: a bare transaction, three bare calls and one message.

use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use heat_tests::figures::{Figure, Samples};
use heat_tests::processes;
use heat_tests::twitch::Line;

use crate::setup::Setup;
use crate::stage::{CHANNEL, Stage, seaside};
use crate::usage::cpu_ms;

/// Between two faves, in milliseconds: long enough for everything to have gone to sleep.
const PAUSE_MS: u64 = 25;

/// The most that a fave may cost, in floors.
const MOST: f64 = 2.0;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let stage = Stage::new(setup)?;
    let (rules, names) = stage.chain()?;
    let heatd = stage.heatd(&seaside(), &rules)?;
    let (rounds, faves) = setup.pick((2, 40), (9, 200));
    let mut sent = 0;
    let mut send = |faves: u64| -> Result<f64> {
        let before = cpu_ms(heatd.id())?;
        for _ in 0..faves {
            thread::sleep(Duration::from_millis(PAUSE_MS));
            // The same people and songs as those of the floor.
            let (person, song) = (sent * 7919 % 200, sent * 104_729 / 31 % 20);
            let text = format!("?fave song number {song}");
            stage.chat.send(CHANNEL, &Line::chat(CHANNEL, &format!("person{person}"), &text));
            sent += 1;
        }
        stage.wait_for_figure("heatd_faves_total", sent)?;
        thread::sleep(Duration::from_millis(PAUSE_MS));
        Ok((cpu_ms(heatd.id())? - before) / faves as f64)
    };
    // The first ones find nothing in any cache.
    send(20)?;
    let (mut costs, mut floors) = (Samples::default(), Samples::default());
    for _ in 0..rounds {
        costs.push(send(faves)?);
        floors.push(floor(setup, faves)?);
    }
    let (cost, floor) = (costs.median(), floors.median());
    let name = format!("processor time for a fave that comes alone, through {}", names.join(", "));
    Figure::median("lone", &name, "ms", &costs)
        .floor("bare redb transaction, three bare calls, one message", floor)
        .target("≤ 2 floors", cost <= MOST * floor)
        .print()
}

/// Milliseconds of processor time of the least that is needed for a fave.
fn floor(setup: &Setup, faves: u64) -> Result<f64> {
    let mut command = Command::new(&setup.engine);
    command.args(["--lone", &faves.to_string(), "--pause", &PAUSE_MS.to_string()]);
    command.arg("--rules").arg(&setup.rules).arg("--scratch").arg(&setup.scratch);
    let output = processes::run(command, b"")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().with_context(|| format!("the floor is no number: {text}"))
}
