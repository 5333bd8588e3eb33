//! Rules that fail: rolled back by themselves while on probation, turned off later, and brought back.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{HEAT, Stage, cast};

#[test]
fn a_formula_that_traps_is_rolled_back_as_if_nothing_had_happened() -> Result<()> {
    let mut stage = Stage::new()?;
    for heat in ["1", "2"] {
        stage.fave("ann");
        stage.heat(heat)?;
    }
    let done = stage.api.deploy("decay", &cast::guest("hostile")?)?.done()?;
    ensure!(done["state"] == "new" && done["standing"]["state"] == "probation", "{done}");
    stage.fave("bob");
    for _ in 0..2 {
        stage.say("eve", "!attack trap");
    }
    stage.town.wait_for_figure("heatd_faves_total", 3)?;
    stage.say("eve", "!attack trap");
    let rule = stage.wait_for_state("decay", "live")?;
    ensure!(rule["name"] == "decay" && rule["changed"] == false, "{rule}");
    stage.heat("3")?;
    stage.fave("cy");
    stage.heat("4")?;
    assert_eq!(stage.shown(HEAT), ["1", "2", "3", "4"]);
    let history = stage.history()?;
    assert_eq!(history[0], ("rollback".to_owned(), "heatd".to_owned(), false));
    // The rule before has answered what the other one failed on: there is nothing to make up for.
    let letters = stage.api.get("dead-letters")?.json()?;
    ensure!(letters["dead_letters"].as_array().is_some_and(Vec::is_empty), "{letters}");
    // And it is so after a restart.
    stage.restart(None)?;
    stage.fave("dee");
    stage.heat("5")?;
    ensure!(stage.api.get("config/diff")?.json()?["differences"] == json!([]));
    Ok(())
}

#[test]
fn a_rule_that_fails_on_the_last_events_is_refused_before_its_state_is_migrated() -> Result<()> {
    let stage = Stage::new()?;
    stage.say("eve", "!attack trap");
    stage.fave("ann");
    stage.heat("1")?;
    let answer = stage.api.deploy("decay", &cast::guest("hostile")?)?;
    let why = answer.refused()?;
    ensure!(why.contains("it fails on 1 of the last"), "{why}");
    let steps = answer.steps()?;
    ensure!(steps.iter().all(|it| it["step"] != "migrate"), "{steps:?}");
    // Where the check passes, the state is migrated after it.
    let steps = stage.api.slot("decay/settings", &json!({ "set": { "per_fave": 2 } }))?.steps()?;
    let place = |name: &str| steps.iter().position(|it| it["step"] == name);
    ensure!(place("check").is_some() && place("check") < place("migrate"), "{steps:?}");
    Ok(())
}

#[test]
fn a_rule_that_fails_again_and_again_is_quarantined_and_says_so_everywhere() -> Result<()> {
    let mut stage = Stage::with(&(cast::rules("", "")? + &cast::one_guest("misbehave", "")?))?;
    let topic = "heat/v1/seaside/rules/misbehave";
    for _ in 0..10 {
        stage.say("ann", "!do panic");
    }
    let rule = stage.wait_for_state("misbehave", "quarantined")?;
    ensure!(rule["reason"].as_str().is_some_and(|why| why.contains("trapped")), "{rule}");
    ensure!(rule["failures"] == 10 && rule["changed"] == true, "{rule}");
    let shown =
        stage.watch.wait_for(|it| it.topic == topic && it.text().contains("quarantined"))?;
    let shown: Value = serde_json::from_str(&shown.text())?;
    ensure!(shown["reason"] == rule["reason"] && shown["digest"] == rule["digest"], "{shown}");
    ensure!(shown["channel"].is_null() && shown["since"].as_u64() > Some(0), "{shown}");
    stage.town.wait_for_figure("heatd_rule_failures_total{slot=\"misbehave\"}", 10)?;
    let (_, figures) = stage.town.page("/metrics")?;
    ensure!(
        figures.contains(
            "heatd_rule_state{channel=\"seaside\",slot=\"misbehave\",state=\"quarantined\"} 1"
        ),
        "{figures}"
    );
    // The others go on, and it is not called any more.
    stage.say("ann", "!do nothing");
    stage.fave("ann");
    stage.heat("1")?;
    assert_eq!(stage.rule("misbehave")?["calls"], 10);
    let diff = stage.api.get("config/diff")?.json()?;
    ensure!(
        diff["differences"][0]["what"] == "state"
            && diff["differences"][0]["live"] == "quarantined",
        "{diff}"
    );

    // It is so after a restart, until somebody turns it on.
    stage.restart(None)?;
    let rule = stage.wait_for_state("misbehave", "quarantined")?;
    ensure!(rule["reason"].as_str().is_some_and(|why| why.contains("trapped")), "{rule}");
    stage.api.slot("misbehave/enable", &json!({}))?.done()?;
    stage.wait_for_state("misbehave", "live")?;
    stage.watch.wait_for(|it| it.topic == topic && it.text().contains("\"live\""))?;
    stage.say("ann", "!do tick");
    stage.heat("2")?;
    let history = stage.history()?;
    let actions: Vec<&str> = history.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(actions, ["enable", "quarantine"]);
    ensure!(history[0].1 == "owner" && history[1].1 == "heatd", "{history:?}");
    Ok(())
}
