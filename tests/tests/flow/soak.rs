//! A short soak: everything is counted once, and nothing grows. `cargo xtask soak` has long ones.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use heat_tests::length::short_or_full;
use heat_tests::processes::binaries;
use heat_tests::soak::{self, Options, Speed};

use crate::town::component;

#[cfg(target_os = "linux")]
#[test]
fn many_channels_swaps_and_a_broker_that_comes_and_goes_lose_and_double_nothing() -> Result<()> {
    let programs = binaries()?;
    let folder = tempfile::tempdir()?;
    let fave = component("rules", "fave")?;
    let seconds = short_or_full(20, 60);
    let options = Options {
        heatd: programs.heatd,
        writer: programs.writer,
        rules: fave.parent().unwrap_or(Path::new(".")).to_owned(),
        chain: ["fave", "decay", "combo"].map(str::to_owned).into(),
        scratch: folder.path().to_owned(),
        time: Duration::from_secs(seconds),
        // As many as Twitch lets join at once.
        channels: 18,
        speed: Speed::Lines(200.0),
        faves: 2,
        flush: "5s".to_owned(),
        gather: "0s".to_owned(),
        half_life: "0s".to_owned(),
        swap_every: Some(Duration::from_millis(500)),
        restart_every: Some(Duration::from_secs(3)),
    };
    let report = soak::run(&options, &|_| {})?;
    let channels = options.channels as u64;
    let failures = report.failures(channels);
    ensure!(failures.is_empty(), "{failures:#?}\n{}", report.table(channels));
    let report = report.json(channels);
    let number = |path: &str| report.pointer(path).and_then(serde_json::Value::as_f64);
    ensure!(number("/lost") == Some(0.0) && number("/doubled") == Some(0.0), "{report:#}");
    // A sixth of what was meant to happen in this time, on a machine that is as busy as it may be.
    let least = |a_second: f64| seconds as f64 * a_second / 6.0;
    for (path, least) in [
        ("/lines/sent", least(200.0)),
        ("/faves/sent", least(4.0)),
        ("/swaps", least(2.0)),
        ("/mqtt_messages", least(2.0)),
        ("/broker_restarts", 1.0),
    ] {
        ensure!(number(path) >= Some(least), "{path} is less than {least}: {report:#}");
    }
    Ok(())
}
