//! What heatd and heat-writer take while nothing happens: memory, processor time, wake-ups.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use heat_tests::figures::Figure;
use heat_tests::processes::{Program, binary};

use crate::setup::{Setup, megabytes};
use crate::stage::{CHANNEL, Stage, seaside};
use crate::usage::{cpu_ms, memory, wake_ups};

/// After the last fave everything comes to rest within this time.
const REST: Duration = Duration::from_secs(8);

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let stage = Stage::new(setup)?;
    let (rules, names) = four_rules(&stage)?;
    // The very first start compiles the rules, and its memory shows it; every other start finds them compiled.
    let mut first = stage.heatd(&seaside(), &rules)?;
    let compiled = memory(first.id())?.resident;
    ensure!(first.terminate()?.success(), "heatd ended with an error");
    let heatd = stage.heatd(&seaside(), &rules)?;
    let writer = stage.writer("heat.txt")?;
    let heat = stage.heat()?;
    for person in 0..20 {
        stage.chat.say(CHANNEL, &format!("person{person}"), "?fave Plastic Love");
    }
    heat.wait_for(20)?;
    thread::sleep(setup.pick(Duration::from_secs(6), REST));
    let seconds = setup.pick(10, 30);
    let before = [look(&heatd)?, look(&writer)?];
    thread::sleep(Duration::from_secs(seconds));
    let after = [look(&heatd)?, look(&writer)?];
    let rest = |program: usize| {
        let (cpu, wakes) =
            (after[program].0 - before[program].0, after[program].1 - before[program].1);
        (cpu / (seconds as f64 * 1e3) * 100.0, wakes as f64 / seconds as f64)
    };
    let what = format!("heatd with {}, idle", names.join(", "));
    print(&what, &heatd, rest(0), 40.0)?;
    let first = format!("{what}, at the very first start, which compiles them: resident");
    Figure::new("idle", &first, "MB", compiled).print()?;
    Figure::new("idle", "heatd, size of the program", "MB", megabytes(&binary("heatd")?)?)
        .print()?;
    print("heat-writer, idle", &writer, rest(1), 4.0)?;
    let size = megabytes(&setup.writer)?;
    Figure::new("idle", "heat-writer, size of the program", "MB", size).at_most(3.0).print()
}

/// Processor time and wake-ups so far.
fn look(program: &Program) -> Result<(f64, u64)> {
    Ok((cpu_ms(program.id())?, wake_ups(program.id())?))
}

fn print(what: &str, program: &Program, (cpu, wakes): (f64, f64), most: f64) -> Result<()> {
    let memory = memory(program.id())?;
    Figure::new("idle", &format!("{what}: resident"), "MB", memory.resident)
        .at_most(most)
        .print()?;
    Figure::new("idle", &format!("{what}: proportional share (PSS)"), "MB", memory.proportional)
        .print()?;
    Figure::new("idle", &format!("{what}: peak"), "MB", memory.peak).print()?;
    Figure::new("idle", &format!("{what}: share of a core"), "%", cpu).at_most(0.1).print()?;
    let wakes = Figure::new("idle", &format!("{what}: wake-ups"), "/s", wakes);
    // Nothing is asked of the writer here.
    if most > 10.0 { wakes.at_most(5.0).print() } else { wakes.print() }
}

/// The configuration of four rules: the chain, another rule if there is one, and else `decay` again under another name.
pub(crate) fn four_rules(stage: &Stage<'_>) -> Result<(String, Vec<String>)> {
    let (mut rules, names) = stage.chain()?;
    let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    if let Some(file) = stage.setup.rule("song-heat") {
        rules += &format!("[[rule]]\nfile = {file:?}\npublish = [\"update-heat\"]\n");
        names.push("song-heat".to_owned());
    }
    let decay = stage.setup.rule("decay").context("the rule decay is not built")?;
    for more in names.len()..4 {
        rules += &format!(
            "[[rule]]\nfile = {decay:?}\nslot = \"decay-{more}\"\nsettings.output = \"heat-{more}\"\n"
        );
        names.push(format!("decay-{more}"));
    }
    Ok((rules, names))
}
