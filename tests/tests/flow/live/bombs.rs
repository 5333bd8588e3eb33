//! What a rule's file can do before it runs: nothing to heatd, which lets another process load it.

use std::io::{BufRead, BufReader, Write};
use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use heat_tests::bombs;
use heat_tests::patience::eventually;
use heat_tests::processes::binaries;

use super::api::WASM;
use super::{Stage, cast};
use crate::town::{Broker, Town};

/// Longer than a compilation that is given up takes, also on a machine that is busy with other tests, and far shorter than one that is waited
/// for: that gives way to those tests.
const AT_ONCE: Duration = Duration::from_secs(25);

/// Takes half a minute to compile, and more in a debug build and beside others.
const FUNCTIONS: usize = 56;

#[test]
fn no_bomb_ends_heatd_however_it_comes() -> Result<()> {
    let rules = "[[rule]]\nfile = \"rules/decay.wasm\"\nsettings.half_life = \"0s\"\n";
    let town = Town::new()?;
    std::fs::create_dir_all(town.path("rules"))?;
    std::fs::write(town.path("rules/decay.wasm"), cast::rule("decay")?)?;
    let fave = cast::one("fave", "")?;
    let configuration = town.head(&["seaside"], &Broker::Embedded(town.mqtt)) + &fave + rules;
    for bomb in bombs::all() {
        std::fs::write(town.path("bomb.wasm"), &bomb.bytes)?;
        let armed = format!("{configuration}[[rule]]\nfile = \"bomb.wasm\"\n");
        let Output { status, stdout, stderr } = town.heatd_command("check", &armed)?.output()?;
        let words = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
        ensure!(status.code() == Some(64), "{}: {status} {words:.500}", bomb.name);
        ensure!(words.contains(bomb.refused), "{}: {words:.500}", bomb.name);
    }
    // The last of them is in the configuration.
    let last = bombs::types_in_types(1_000);
    std::fs::write(town.path("bomb.wasm"), &last)?;
    let armed =
        format!("skip_broken_rules = true\n{configuration}[[rule]]\nfile = \"bomb.wasm\"\n");
    let mut heatd = town.heatd(&armed)?;
    heatd
        .wait_for_line(|line| line.contains("rule left out") && line.contains("types in types"))?;
    town.wait_for_joins("seaside", 1)?;
    let api = super::Api::new(&town)?;
    for bomb in bombs::all() {
        let why = api.deploy("decay", &bomb.bytes)?.refused()?;
        ensure!(why.contains(bomb.refused), "{}: {why:.300}", bomb.name);
    }
    std::fs::write(town.path("rules/decay.wasm"), bombs::types_in_types(20_000))?;
    heatd.wait_for_line(|line| line.contains("what is in the file does not go live"))?;
    ensure!(heatd.terminate()?.success());
    Ok(())
}

#[test]
fn who_writes_rules_is_told_of_a_bomb_too() -> Result<()> {
    let town = Town::new()?;
    let file = town.path("bomb.wasm");
    std::fs::write(&file, bombs::types_in_types(5_000))?;
    for verb in ["test", "bench"] {
        let mut command = std::process::Command::new(binaries()?.heatd);
        command.args(["rule", verb]).arg(&file);
        let output = command.output()?;
        let words = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(1), "{}: {words}", output.status);
        ensure!(words.contains("levels of types in types"), "{words}");
    }
    Ok(())
}

#[test]
fn a_compilation_ends_when_nobody_waits_for_it_any_more() -> Result<()> {
    let stage = Stage::new()?;
    let large = bombs::large(FUNCTIONS);
    ask_and_leave(&stage, &large)?;
    stage.heatd.wait_for_line(|line| line.contains("who wanted the component is gone"))?;
    // It is not in the way of the next.
    let started = Instant::now();
    let padded = cast::padded(&cast::rule("decay")?, 10)?;
    stage.api.deploy("decay", &padded)?.done()?;
    ensure!(started.elapsed() < AT_ONCE, "it waited for {:?}", started.elapsed());
    Ok(())
}

#[test]
fn a_compilation_does_not_hold_up_the_end_of_heatd() -> Result<()> {
    let mut stage = Stage::new()?;
    let large = bombs::large(FUNCTIONS);
    let _asker = ask(&stage, &large)?;
    let started = Instant::now();
    ensure!(stage.heatd.terminate()?.success());
    ensure!(started.elapsed() < AT_ONCE, "it took {:?}", started.elapsed());
    stage.heatd.wait_for_line(|line| line.contains("a change of a rule is refused"))?;
    Ok(())
}

/// Wants a component in a slot, and waits until it is being compiled.
fn ask(stage: &Stage, component: &[u8]) -> Result<BufReader<std::net::TcpStream>> {
    let mut stream =
        stage.api.begin("PUT", "channels/seaside/rules/decay", WASM, component.len())?;
    stream.write_all(component)?;
    let (mut reader, mut seen) = (BufReader::new(stream), String::new());
    eventually("the compilation to go on", || {
        let mut line = String::new();
        let read = reader.read_line(&mut line).map_err(|error| error.to_string())?;
        seen.push_str(&line);
        // The first says what is expected, and the second that it goes on.
        let is_on = read > 0 && seen.matches("elapsed_ms").count() > 1;
        if is_on { Ok(()) } else { Err(seen.clone()) }
    })?;
    Ok(reader)
}

fn ask_and_leave(stage: &Stage, component: &[u8]) -> Result<()> {
    ask(stage, component).map(drop)
}

#[test]
fn a_rule_that_floods_the_log_is_cut_short_and_its_lines_are_counted() -> Result<()> {
    let stage = Stage::with(&(cast::rules("", "")? + &cast::one_guest("hostile", "")?))?;
    for number in 0..100 {
        stage.say(&format!("fan{number}"), "!attack say-to-log");
    }
    stage.heatd.wait_for_line(|line| line.contains("lines of the rule are left out"))?;
    // The rule before it in the chain shows that all of them were answered.
    stage.fave("ann");
    stage.heat("1")?;
    let lines = stage.heatd.lines();
    let said = lines.iter().filter(|line| line.contains("rule says")).count();
    // 200 at once, and 10 each second: a machine that takes a minute for this has 600 more.
    ensure!((20..800).contains(&said), "{said} lines of 5,000 were written");
    Ok(())
}

#[test]
fn channels_that_are_added_live_share_their_rules() -> Result<()> {
    let stage = Stage::new()?;
    let process = format!("/proc/{}", stage.heatd.id());
    let used = || -> Result<(usize, u64)> {
        let status = std::fs::read_to_string(format!("{process}/status"))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)).unwrap_or("0");
        Ok((std::fs::read_dir(format!("{process}/fd"))?.count(), kib.parse()?))
    };
    let (files, kib) = used()?;
    for number in 0..120 {
        let channel = serde_json::json!({ "channel": format!("town{number}") });
        stage.api.post("channels", &channel)?.json()?;
    }
    let (files_then, kib_then) = used()?;
    let (more_files, more_kib) = (files_then.saturating_sub(files), kib_then.saturating_sub(kib));
    // Rules that are loaded again take 12 descriptors and 6 MiB for each channel. Some connections to chat come with them.
    ensure!(more_files < 40, "{more_files} descriptors more");
    ensure!(more_kib < 100 << 10, "{more_kib} KiB more");
    Ok(())
}
