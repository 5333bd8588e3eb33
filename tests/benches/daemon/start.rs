//! How long heatd takes from its start to the first fave, with four rules whose compiled code is kept already.

use std::time::Instant;

use anyhow::Result;
use heat_tests::figures::{Figure, Samples};
use heat_tests::processes::Program;

use crate::idle::four_rules;
use crate::setup::Setup;
use crate::stage::{CHANNEL, Stage, seaside};

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let stage = Stage::new(setup)?;
    let (rules, _) = four_rules(&stage)?;
    let heat = stage.heat()?;
    // Compiles the rules, and makes the store.
    let start = Instant::now();
    let mut first = stage.heatd(&seaside(), &rules)?;
    let compiling = start.elapsed().as_secs_f64() * 1e3;
    first.terminate()?;
    let (mut joined, mut published) = (Samples::default(), Samples::default());
    for count in 1..=setup.pick(3, 15) {
        stage.chat.wait_disconnected()?;
        let command = stage.heatd_command(&seaside(), &rules)?;
        let start = Instant::now();
        let mut heatd = Program::start(command)?;
        stage.chat.wait_joined(CHANNEL)?;
        joined.push(start.elapsed().as_secs_f64() * 1e3);
        stage.chat.say(CHANNEL, "ann", "?fave Plastic Love");
        let shown = heat.wait_for(count)?;
        published.push(shown.saturating_duration_since(start).as_secs_f64() * 1e3);
        heatd.terminate()?;
    }
    Figure::median("start", "start to the joined channel, four cached rules", "ms", &joined)
        .print()?;
    Figure::median(
        "start",
        "start to the first fave published, four cached rules",
        "ms",
        &published,
    )
    .at_most(300.0)
    .print()?;
    Figure::new(
        "start",
        "the very first start, which compiles the rules, to readiness",
        "ms",
        compiling,
    )
    .print()
}
