//! Back to what was live before, however often; and what the history says of it.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Stage, cast};

#[test]
fn what_was_live_before_comes_back_one_after_the_other_over_restarts_too() -> Result<()> {
    let mut stage = Stage::new()?;
    let per_fave = |stage: &Stage| anyhow::Ok(stage.rule("decay")?["settings"]["per_fave"].clone());
    let settings = |stage: &Stage, to: i32| -> Result<Value> {
        stage.api.slot("decay/settings", &json!({ "set": { "per_fave": to } }))?.done()
    };
    stage.fave("ann");
    stage.heat("1")?;
    settings(&stage, 2)?;
    let padded = cast::padded(&cast::rule("decay")?, 5)?;
    stage.api.deploy("decay", &padded)?.done()?;
    settings(&stage, 3)?;
    stage.fave("bob");
    stage.heat("4")?;
    let newest = stage.rule("decay")?["digest"].clone();

    // Nothing stands by any more after a restart: what was there before is deployed again.
    stage.restart(None)?;
    ensure!(stage.rule("decay")?["state"] == "live");
    stage.api.slot("decay/rollback", &json!({}))?.done()?;
    assert_eq!((per_fave(&stage)?.as_f64(), &stage.rule("decay")?["digest"]), (Some(2.0), &newest));
    stage.restart(None)?;
    stage.api.slot("decay/rollback", &json!({}))?.done()?;
    let rule = stage.rule("decay")?;
    ensure!(rule["settings"]["per_fave"] == 2.0 && rule["digest"] != newest, "{rule}");
    stage.restart(None)?;
    stage.api.slot("decay/rollback", &json!({}))?.done()?;
    let rule = stage.rule("decay")?;
    ensure!(rule["settings"]["per_fave"] == 1.0 && rule["changed"] == false, "{rule}");
    stage.restart(None)?;
    let why = stage.api.slot("decay/rollback", &json!({}))?.problem(409)?;
    ensure!(why.contains("knows of no rule in slot decay before"), "{why}");
    stage.fave("cy");
    stage.heat("5")?;

    // All of it is in the history, newest first, with what was refused.
    stage.api.slot("decay/settings", &json!({ "set": { "capp": 3 } }))?.refused()?;
    let history = stage.history()?;
    let told: Vec<(&str, bool)> = history.iter().map(|it| (it.0.as_str(), it.2)).collect();
    let done = ["rollback", "rollback", "rollback", "settings", "deploy", "settings"]
        .map(|it| (it, false));
    assert_eq!(told, [&[("settings", true)], &done[..]].concat());
    let page = stage.api.get("audit?count=1&slot=decay&channel=%23Seaside")?.json()?;
    let entry = &page["entries"][0];
    ensure!(
        entry["refused"].as_str().is_some_and(|why| why.contains("did you mean `cap`?")),
        "{page}"
    );
    ensure!(page["entries"].as_array().is_some_and(|it| it.len() == 1), "{page}");
    ensure!(stage.api.get("audit?slot=fave")?.json()?["entries"] == json!([]));
    Ok(())
}

#[test]
fn what_is_done_happens_now_however_long_ago_the_last_event_was() -> Result<()> {
    let stage = Stage::new()?;
    let asked =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis() as u64;
    let done = stage.api.slot("decay/settings", &json!({ "set": { "per_fave": 2 } }))?.done()?;
    ensure!(done["standing"]["since"].as_u64() >= Some(asked), "{done}: asked at {asked}");
    let history = stage.api.get("audit")?.json()?;
    ensure!(history["entries"][0]["at"].as_u64() >= Some(asked), "{history}");
    Ok(())
}

#[test]
fn the_way_back_to_a_rule_that_stands_by_is_a_line_of_the_log() -> Result<()> {
    let stage = Stage::new()?;
    stage.api.slot("decay/settings", &json!({ "set": { "per_fave": 2 } }))?.done()?;
    stage.api.slot("decay/rollback", &json!({}))?.done()?;
    let is_it = |line: &str| line.contains("rule exchanged") && line.contains("rollback");
    let line = stage.heatd.wait_for_line(is_it)?;
    let has = |field: &str| line.contains(field);
    ensure!(has("seaside") && has("decay") && has("owner") && has("digest="), "{line}");
    Ok(())
}
