//! The command line: `heat` against heatd, and against chat where there is no heatd.

mod access;
mod asked;
mod history;
mod live;
mod news;
mod roles;
mod screen;
mod sockets;
mod watch;

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::processes::{Program, binaries, free_port};
use serde_json::Value;

use crate::town::{Broker, Town};
pub(crate) use asked::ask;

/// A heatd that has joined its channels, with the rules that `?fave` and a word call.
fn start(town: &Town, channels: &[&str]) -> Result<Program> {
    let heatd = town.heatd(&configuration(town, channels)?)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    channels.iter().try_for_each(|channel| town.chat.wait_joined(channel).map(drop))?;
    Ok(heatd)
}

fn configuration(town: &Town, channels: &[&str]) -> Result<String> {
    Ok(town.head(channels, &Broker::Embedded(town.mqtt)) + &Town::rules("LUL")?)
}

/// `heat` in the town's folder, where it finds heatd by itself.
pub(crate) fn heat(town: &Town, arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(binaries()?.heat);
    command.args(arguments).current_dir(town.folder.path());
    for name in ["HEAT_URL", "HEAT_TOKEN_FILE", "HEAT_DATA", "NO_COLOR"] {
        command.env_remove(name);
    }
    Ok(command)
}

/// Exit code, what it answers, and what it says beside.
pub(crate) fn run(mut command: Command) -> Result<(Option<i32>, String, String)> {
    let Output { status, stdout, stderr } = command.output()?;
    Ok((status.code(), String::from_utf8(stdout)?, String::from_utf8(stderr)?))
}

pub(crate) fn answer(town: &Town, arguments: &[&str]) -> Result<String> {
    let (code, answer, words) = run(heat(town, arguments)?)?;
    ensure!(code == Some(0), "{arguments:?} ended with {code:?}: {words}");
    Ok(answer)
}

fn status(town: &Town) -> Result<Value> {
    Ok(serde_json::from_str(&answer(town, &["status", "--json"])?)?)
}

#[test]
fn the_status_tells_how_heatd_does() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    town.chat.say("seaside", "ann", "?fave pie");
    town.chat.say("seaside", "ann", "hello");
    town.wait_for_figure("heatd_chat_lines_total", 2)?;
    town.wait_for_figure("heatd_faves_total", 1)?;

    // An output is shown when it is durable.
    let is_hot = |status: Value| status["channels"][0]["outputs"]["heat"] == "1";
    eventually("the heat to be shown", || status(&town).is_ok_and(is_hot))?;
    let page = answer(&town, &["status"])?;
    for part in [
        "ready       yes",
        "chat        1 of 1 connections",
        "mqtt        connected",
        "since start 2 chat lines, 1 faves, 0 duplicates",
        "#seaside: the stream is unknown",
        "\n  heat shows \"1\"\n",
        "\n  fave handler fave ",
        "\n  decay formula decay ",
    ] {
        // How wide the columns are depends on the longest name.
        let squeezed = squeeze(&page);
        ensure!(squeezed.contains(&squeeze(part)), "{part:?} is not in:\n{page}");
    }

    let status = status(&town)?;
    assert_eq!(status["ready"], true);
    assert_eq!(status["faves"], 1);
    assert_eq!(status["connections"]["chat"]["up"], 1);
    ensure!(status["store_bytes"].as_u64() > Some(0), "{status}");
    let channel = &status["channels"][0];
    assert_eq!(channel["outputs"]["heat"], "1");
    assert_eq!(channel["stream"], serde_json::json!({ "state": "unknown", "since": null }));
    let rule = &channel["rules"][0];
    assert_eq!(
        (&rule["slot"], &rule["calls"], &rule["failures"]),
        (&"fave".into(), &1.into(), &0.into())
    );
    ensure!(rule["digest"].as_str().is_some_and(|digest| digest.len() == 64), "{rule}");
    Ok(())
}

/// The text with one space where there are several.
fn squeeze(text: &str) -> String {
    let words = text.split(' ').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_status_says_what_is_missing() -> Result<()> {
    let town = Town::new()?;
    town.chat.refuse_connections();
    let heatd = town.heatd(&configuration(&town, &["seaside"])?)?;
    heatd.wait_for_line(|line| line.contains("broker connected"))?;
    let page = answer(&town, &["status"])?;
    ensure!(page.contains("ready       no: chat is not connected, for"), "{page}");
    ensure!(page.contains("chat        0 of 1 connections"), "{page}");
    Ok(())
}

#[test]
fn a_stream_starts_and_ends_on_command() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside"])?;
    assert_eq!(answer(&town, &["stream", "start"])?, "#seaside is live\n");
    let stream = status(&town)?["channels"][0]["stream"].clone();
    assert_eq!(stream["state"], "live");
    let since = stream["since"].as_u64().context("no time")?;
    // Saying it again changes nothing.
    assert_eq!(answer(&town, &["stream", "start", "--channel", "#Seaside"])?, "#seaside is live\n");
    assert_eq!(status(&town)?["channels"][0]["stream"]["since"], since);
    assert_eq!(answer(&town, &["stream", "end"])?, "#seaside is offline\n");
    ensure!(answer(&town, &["status"])?.contains("#seaside: the stream is offline for "));
    let (code, _, words) = run(heat(&town, &["stream", "end", "--channel", "nowhere"])?)?;
    ensure!(code == Some(1) && words.contains("heatd has no channel \"nowhere\""), "{words}");
    Ok(())
}

#[test]
fn with_several_channels_one_must_be_named() -> Result<()> {
    let town = Town::new()?;
    let _heatd = start(&town, &["seaside", "harbour"])?;
    let (code, _, words) = run(heat(&town, &["stream", "start"])?)?;
    ensure!(code == Some(1) && words.contains("--channel: seaside, harbour"), "{words}");
    assert_eq!(answer(&town, &["stream", "start", "--channel", "harbour"])?, "#harbour is live\n");
    let status = status(&town)?;
    let states: Vec<_> =
        (0..2).map(|place| &status["channels"][place]["stream"]["state"]).collect();
    assert_eq!(states, ["unknown", "live"]);
    Ok(())
}

#[test]
fn a_wrong_command_line_is_64_and_help_is_none() -> Result<()> {
    let town = Town::new()?;
    let wrong: [&[&str]; 6] = [
        &[],
        &["stream"],
        &["stream", "perhaps"],
        &["status", "--url", "localhost"],
        &["watch", "--no-daemon"],
        &["watch", "--json", "--plain"],
    ];
    for arguments in wrong {
        let (code, _, words) = run(heat(&town, arguments)?)?;
        ensure!(code == Some(64), "{arguments:?}: {code:?} {words}");
    }
    for arguments in [&["--help"][..], &["watch", "--help"], &["--version"]] {
        let (code, help, _) = run(heat(&town, arguments)?)?;
        ensure!(code == Some(0) && help.contains("heat") && !help.contains("--server"), "{help}");
    }
    Ok(())
}

#[test]
fn a_heatd_that_does_not_answer_is_said_to() -> Result<()> {
    let town = Town::new()?;
    let url = format!("http://127.0.0.1:{}", free_port()?);
    write_token(&town.path("api.token"), "secret")?;
    let mut command = heat(&town, &["status", "--url", &url])?;
    command.env("HEAT_TOKEN_FILE", town.path("api.token"));
    let (code, _, words) = run(command)?;
    ensure!(
        code == Some(1) && words.contains(&format!("heatd does not answer at {url}")),
        "{words}"
    );
    Ok(())
}

fn write_token(file: &Path, token: &str) -> Result<()> {
    Ok(std::fs::write(file, token)?)
}
