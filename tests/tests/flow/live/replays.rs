//! The log, or a recording, run again with something else in a slot.

use anyhow::{Context, Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::twitch::Line;
use serde_json::{Value, json};

use super::api::{JSON, WASM};
use super::{HEAT, Stage, cast};

fn last(curve: &Value) -> Value {
    curve.as_array().and_then(|it| it.last()).map(|it| it[1].clone()).unwrap_or_default()
}

#[test]
fn a_stretch_of_the_log_is_replayed_beside_what_was_live() -> Result<()> {
    let stage = Stage::with(&(cast::rules("settings.words = [\"LUL\"]", "source = \"file\"")?))?;
    for heat in ["1", "2", "3"] {
        stage.fave("ann");
        stage.heat(heat)?;
    }
    let replay = |query: &str, body: &Value| {
        stage.api.post(&format!("channels/seaside/replay?{query}"), body)
    };
    // It changes nothing, so it may be asked of a slot that the file alone decides on.
    let done = replay("slot=decay", &json!({ "set": { "per_fave": 10 } }))?.done()?;
    ensure!(done["events"] == 3 && done["faults"] == 0 && done["output"] == "heat", "{done}");
    ensure!(last(&done["live"]) == 3.0 && last(&done["candidate"]) == 30.0, "{done}");
    ensure!(done["live_faves"] == 3.0 && done["candidate_faves"] == 3.0, "{done}");
    let fewer = replay("slot=fave", &json!({ "set": { "command": "?no" } }))?.done()?;
    ensure!(fewer["candidate_faves"] == 0.0 && fewer["live_faves"] == 3.0, "{fewer}");

    // A component, and one that fails.
    let path = "channels/seaside/replay?slot=decay";
    let done =
        stage.api.ask("POST", path, WASM, &cast::padded(&cast::rule("decay")?, 3)?)?.done()?;
    ensure!(done["live"] == done["candidate"], "{done}");
    stage.say("eve", "!attack trap");
    stage.town.wait_for_figure("heatd_chat_lines_total", 4)?;
    let done = stage.api.ask("POST", path, WASM, &cast::guest("hostile")?)?.done()?;
    ensure!(done["faults"] == 1 && done["events"] == 4, "{done}");

    // A time of which nothing is stored, and parts of a time of which something is.
    for query in ["from=1&to=2", "from=99999999999999", "from=5&to=4"] {
        let why = replay(&format!("slot=decay&{query}"), &json!({}))?.refused()?;
        ensure!(why.contains("nothing is stored of that time"), "{query}: {why}");
    }
    let from = done["from"].as_u64().context("no time")?;
    let done = replay(&format!("slot=decay&from={from}"), &json!({}))?.done()?;
    ensure!(done["live"] == done["candidate"] && last(&done["live"]) == 3.0, "{done}");
    let why = replay("slot=decay", &json!({ "set": { "per_fvae": 1 } }))?.refused()?;
    ensure!(why.contains("did you mean `per_fave`?"), "{why}");
    let why = replay("slot=decay&output=nosuch", &json!({}))?.refused()?;
    ensure!(why.contains("there is no output nosuch; there are heat, record"), "{why}");
    ensure!(replay("slot=hat", &json!({}))?.problem(404)?.contains("it has fave, decay"));
    ensure!(replay("from=1", &json!({}))?.problem(400)?.contains("slot"));
    assert_eq!(stage.shown(HEAT), ["1", "2", "3"]);
    ensure!(stage.history()?.is_empty());
    Ok(())
}

#[test]
fn a_recording_is_replayed_from_nothing() -> Result<()> {
    let stage = Stage::new()?;
    stage.fave("ann");
    stage.heat("1")?;
    let lines = (0..5u64).map(|number| {
        let line = Line::chat("elsewhere", "zoe", "?fave").at(1_700_000_000_000 + number * 1000);
        format!("{line}\r\n")
    });
    let recording: String = lines.collect();
    let send = |recording: &[u8], log: usize, kind: &str, rest: &[u8]| {
        let path = format!("channels/seaside/replay?slot=decay&log={log}");
        stage.api.ask("POST", &path, kind, &[recording, rest].concat())
    };
    let text = recording.as_bytes();
    let done = send(text, text.len(), WASM, &cast::padded(&cast::rule("decay")?, 1)?)?.done()?;
    ensure!(done["events"] == 5 && last(&done["candidate"]) == 5.0, "{done}");
    ensure!(done["from"] == 1_700_000_000_000u64 && done["to"] == 1_700_000_004_000u64, "{done}");
    let done = send(text, text.len(), JSON, b"{\"set\": {\"per_fave\": 3}}")?.done()?;
    ensure!(last(&done["live"]) == 5.0 && last(&done["candidate"]) == 15.0, "{done}");
    let why = send(text, text.len() * 2, JSON, b"{}")?.problem(400)?;
    ensure!(why.contains("shorter than"), "{why}");
    let why = send(b"\xff\xfe nothing\n", 11, JSON, b"{}")?.refused()?;
    ensure!(why.contains("no line of chat"), "{why}");
    stage.heat("1")
}

/// What a process has had in memory at most, in KiB.
#[cfg(target_os = "linux")]
fn peak(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM")?;
    Ok(line.split_whitespace().nth(1).context("no figure")?.parse()?)
}

#[test]
#[cfg(target_os = "linux")]
fn a_long_recording_takes_little_more_memory_than_it_has_bytes() -> Result<()> {
    const LINES: u64 = 150_000;
    let stage = Stage::new()?;
    let mut recording = String::new();
    for number in 0..LINES {
        let at = 1_700_000_000_000 + number * 10;
        recording.push_str(&format!("@tmi-sent-ts={at};user-id=7 :zoe!zoe@zoe PRIVMSG #a :hi\n"));
    }
    recording.push_str("@tmi-sent-ts=1800000000000;user-id=7 :zoe!zoe@zoe PRIVMSG #a :?fave\n");
    let path = format!("channels/seaside/replay?slot=decay&log={}", recording.len());
    let before = peak(stage.heatd.id())?;
    let body = recording.clone() + "{\"set\": {\"per_fave\": 3}}";
    let done = stage.api.ask("POST", &path, JSON, body.as_bytes())?.done()?;
    ensure!(done["events"] == LINES + 1 && last(&done["candidate"]) == 3.0, "{done}");
    let (more, bytes) = (peak(stage.heatd.id())? - before, recording.len() as u64 >> 10);
    // As records it would be eight times as large.
    ensure!(more < bytes * 3, "{more} KiB more for a recording of {bytes} KiB");
    Ok(())
}

#[test]
fn a_replay_is_told_that_another_one_is_under_way() -> Result<()> {
    let stage = Stage::new()?;
    let path = "channels/seaside/replay?slot=decay";
    // Its body never comes to its end.
    let first = stage.api.begin("POST", path, JSON, 1000)?;
    let second = || stage.api.ask("POST", path, JSON, b"{}");
    eventually("the first replay to have its turn", || match second() {
        Ok(answer) => answer.problem(503).map(drop).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    })?;
    let why = second()?.problem(503)?;
    ensure!(why.contains("another replay is under way"), "{why}");
    drop(first);
    eventually("the turn of the second", || match second() {
        Ok(answer) => answer.steps().map(drop).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    })
}
