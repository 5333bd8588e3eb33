//! Faves through the whole chain, durably, in groups as heatd commits them; beside a bare redb transaction with the same rows.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use heat_engine::Store;
use heat_tests::figures::{Figure, Samples};

use crate::Setup;
use crate::floor::{Kept, write_bare};
use crate::stage::{self, CROWD, Mix, REGULARS};

/// The most events of one commit of heatd.
pub(crate) const GROUP: u64 = 1024;

/// The chain, as far as its rules are there.
pub(crate) const CHAIN: [&str; 3] = ["fave", "multiplier", "decay"];

pub(crate) fn run(setup: &Setup) -> Result<()> {
    measure(setup, REGULARS)?;
    measure(setup, CROWD)
}

fn measure(setup: &Setup, mix: Mix) -> Result<()> {
    let (rounds, groups) = if setup.quick { (2, 10) } else { (7, 100) };
    let is_there = |name: &&str| setup.rules.join(format!("{name}.wasm")).is_file();
    let chain: Vec<&str> = CHAIN.into_iter().filter(is_there).collect();
    let (mut engine, mut bare) = (Samples::default(), Samples::default());
    let faves = groups * GROUP;
    for _ in 0..rounds {
        let folder = tempfile::tempdir_in(&setup.scratch)?;
        let file = folder.path().join("engine.redb");
        engine.push(faves as f64 / by_engine(setup, mix, &chain, &file, groups)?);
        let kept = Kept::read(&file)?;
        let bare_file = folder.path().join("bare.redb");
        bare.push(faves as f64 / write_bare(&bare_file, mix, &kept, groups)?);
        kept.compare(&Kept::read(&bare_file)?)?;
    }
    let (rate, ratio) = (engine.median(), engine.median() / bare.median());
    let name =
        format!("faves through {}, durable, {GROUP} a commit, {}", chain.join(", "), mix.name);
    Figure::median("store", &name, "/s", &engine)
        .floor("bare redb transaction, same rows", bare.median())
        .target("≥ 50,000 /s and half of the floor", rate >= 50_000.0 && ratio >= 0.5)
        .print()
}

/// Seconds from the first event to the end of the last commit.
fn by_engine(setup: &Setup, mix: Mix, chain: &[&str], file: &Path, groups: u64) -> Result<f64> {
    let mut engine = stage::engine(&setup.rules, chain, Store::open(file)?)?;
    let mut seconds = 0.0;
    for group in 0..groups {
        let numbers = group * GROUP..(group + 1) * GROUP;
        let made: Vec<_> =
            numbers.map(|number| (stage::now(number), stage::event(mix, number))).collect();
        let start = Instant::now();
        for (now, event) in made {
            engine.handle(now, event)?;
        }
        engine.commit()?;
        seconds += start.elapsed().as_secs_f64();
    }
    let counted = engine.snapshot()?.channel_tally(stage::CHANNEL)?.faves;
    ensure!(counted == groups * GROUP, "{counted} of {} faves were counted", groups * GROUP);
    Ok(seconds)
}
