//! The file of a rule against what was changed while live.

use anyhow::{Result, ensure};
use serde_json::json;
use tempfile::TempDir;

use super::{Stage, cast};

const AGAIN: &str = "the file has again what is live";

/// heatd with a copy of `decay`, of which something was set while live.
fn stage(folder: &TempDir) -> Result<(Stage, std::path::PathBuf)> {
    let file = folder.path().join("decay.wasm");
    std::fs::write(&file, cast::rule("decay")?)?;
    let decay = format!("[[rule]]\nfile = {file:?}\nsettings.half_life = \"0s\"\n");
    let stage = Stage::with(&(cast::one("fave", "")? + &decay))?;
    stage.api.slot("decay/settings", &json!({ "set": { "half_life": "1h" } }))?.done()?;
    Ok((stage, file))
}

#[test]
fn a_file_that_has_again_what_is_live_changes_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut stage, file) = stage(&folder)?;
    std::fs::write(&file, b"garbage")?;
    stage.heatd.wait_for_line(|line| line.contains("what is in the file does not go live"))?;
    std::fs::write(&file, cast::rule("decay")?)?;
    stage.heatd.wait_for_line(|line| line.contains(AGAIN) && line.contains("INFO"))?;
    let lines = stage.heatd.lines();
    assert_eq!(lines.iter().filter(|line| line.contains(AGAIN)).count(), 1);
    ensure!(!lines.iter().any(|line| line.contains("it is live already")), "{lines:#?}");
    ensure!(stage.rule("decay")?["settings"]["half_life"] == "1h");
    stage.restart(None)?;
    ensure!(stage.rule("decay")?["settings"]["half_life"] == "1h");
    Ok(())
}

#[test]
fn what_was_set_while_live_stays_when_the_file_follows_what_is_live() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (mut stage, file) = stage(&folder)?;
    let other = cast::padded(&cast::rule("decay")?, 5)?;
    stage.api.deploy("decay", &other)?.done()?;
    // What the configuration had all the time says nothing new, also where something else is live.
    std::fs::write(&file, b"garbage")?;
    stage.heatd.wait_for_line(|line| line.contains("what is in the file does not go live"))?;
    std::fs::write(&file, cast::rule("decay")?)?;
    stage.heatd.wait_for_line(|line| line.contains("the file has again what it had"))?;
    let live = stage.rule("decay")?;
    std::fs::write(&file, &other)?;
    stage.heatd.wait_for_line(|line| line.contains(AGAIN))?;
    let rule = stage.rule("decay")?;
    ensure!(rule["settings"]["half_life"] == "1h" && rule["digest"] == live["digest"], "{rule}");
    let diff = stage.api.get("config/diff")?.json()?;
    ensure!(diff["differences"].as_array().is_some_and(|it| it.len() == 1), "{diff}");
    ensure!(diff["differences"][0]["what"] == "half_life", "{diff}");
    // The configuration says the new component now, and what was set still holds.
    stage.restart(None)?;
    let rule = stage.rule("decay")?;
    ensure!(rule["settings"]["half_life"] == "1h" && rule["digest"] == live["digest"], "{rule}");
    Ok(())
}

#[test]
fn another_component_in_the_file_ends_what_was_set_while_live_and_says_so() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (stage, file) = stage(&folder)?;
    std::fs::write(&file, cast::padded(&cast::rule("decay")?, 5)?)?;
    let line = stage.heatd.wait_for_line(|line| line.contains("what is in the file is live"))?;
    ensure!(line.contains("WARN") && line.contains("half_life"), "{line}");
    ensure!(stage.rule("decay")?["settings"]["half_life"] == "0s");
    Ok(())
}
