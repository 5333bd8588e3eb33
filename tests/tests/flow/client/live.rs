//! What `heat` changes, tries, explains and takes back while heatd runs.

use anyhow::{Context, Result, ensure};
use heat_tests::patience::eventually;
use serde_json::Value;

use super::{answer, heat, run, squeeze, start, status};
use crate::town::{Town, component};

/// Waits until the heat is shown.
fn wait_for_heat(town: &Town, text: &str) -> Result<()> {
    eventually("the heat to be shown", || match status(town) {
        Ok(status) if status["channels"][0]["outputs"]["heat"] == text => Ok(()),
        Ok(status) => Err(status["channels"][0]["outputs"].to_string()),
        Err(error) => Err(error.to_string()),
    })
}

/// The last line that a command prints, as JSON.
fn last(town: &Town, arguments: &[&str]) -> Result<Value> {
    let lines = answer(town, arguments)?;
    Ok(serde_json::from_str(lines.lines().last().context("it prints nothing")?)?)
}

fn has(page: &str, parts: &[&str]) -> Result<()> {
    parts.iter().try_for_each(|part| {
        ensure!(page.contains(part), "{part:?} is not in:\n{page}");
        Ok(())
    })
}

/// A town whose chat has brought a heat of 4.
fn warm() -> Result<(Town, heat_tests::processes::Program)> {
    let town = Town::new()?;
    let heatd = start(&town, &["seaside"])?;
    for login in ["ann", "bob", "ann", "ann"] {
        town.chat.say("seaside", login, "?fave pie");
    }
    wait_for_heat(&town, "4")?;
    Ok((town, heatd))
}

#[test]
fn what_was_is_explained_tried_with_other_settings_and_taken_back() -> Result<()> {
    let (town, _heatd) = warm()?;
    let why = answer(&town, &["why", "--count", "3"])?;
    has(&why, &["3 → 4", "decay", "chat", "ann", "bob"])?;
    ensure!(!why.contains("→ 1"), "{why}");

    let replayed = last(&town, &["replay", "--set", "per_fave=2", "--json"])?;
    let end =
        |curve: &str| replayed[curve].as_array().and_then(|it| it.last()).map(|it| it[1].as_f64());
    assert_eq!((end("live"), end("candidate")), (Some(Some(4.0)), Some(Some(8.0))), "{replayed}");
    let page = answer(&town, &["replay", "--set", "per_fave=2", "--svg", "heat.svg"])?;
    has(&page, &["live", "candidate", "4 events", "no faults"])?;
    has(&squeeze(&page), &["at the end 4 8"])?;
    has(&std::fs::read_to_string(town.path("heat.svg"))?, &["class=\"line candidate\""])?;

    let simulated = answer(&town, &["simulate", "fave", "--user", "cat", "--item", "cake"])?;
    has(&simulated, &["simulated", "fave cat \"cake\" 1", "would show \"5\" instead of \"4\""])?;

    let undo = ["undo", "--user", "bob", "--since", "10m"];
    let preview = answer(&town, &[&undo[..], &["--preview"]].concat())?;
    has(&preview, &["heat would show \"3\" instead of \"4\""])?;
    wait_for_heat(&town, "4")?;
    has(
        &answer(&town, &[&undo[..], &["--yes"]].concat())?,
        &["heat shows \"3\" instead of \"4\""],
    )?;
    wait_for_heat(&town, "3")
}

#[test]
fn rules_and_settings_are_changed_and_back() -> Result<()> {
    let (town, _heatd) = warm()?;
    has(&answer(&town, &["rules", "list"])?, &["#seaside  fave", "decay  live"])?;
    has(
        &answer(&town, &["rules", "settings", "--slot", "decay"])?,
        &["half_life", "\"0s\"", "\"10m\""],
    )?;

    let set = answer(&town, &["rules", "settings", "set", "per_fave=10"])?;
    has(&set, &["is live in slot decay of #seaside", "its state is kept"])?;
    town.chat.say("seaside", "cat", "?fave pie");
    wait_for_heat(&town, "14")?;
    has(&answer(&town, &["rules", "list"])?, &["decay  probation", "per_fave"])?;
    has(&answer(&town, &["config", "diff"])?, &["per_fave", "default", "10"])?;
    has(&answer(&town, &["config", "export"])?, &["per_fave = 10"])?;
    answer(&town, &["rules", "rollback", "decay"])?;
    wait_for_heat(&town, "5")?;

    answer(&town, &["rules", "shadow", "--set", "per_fave=100"])?;
    town.chat.say("seaside", "cat", "?fave pie");
    wait_for_heat(&town, "6")?;
    eventually("the shadow to be told of", || {
        answer(&town, &["rules", "list"]).is_ok_and(|page| page.contains("would show heat \"105\""))
    })?;
    answer(&town, &["rules", "promote"])?;
    wait_for_heat(&town, "105")?;
    let history = answer(&town, &["rules", "history"])?;
    has(&history, &["promote", "rollback", "settings", "per_fave=100"])
}

#[test]
fn a_rule_that_fails_is_gone_and_what_it_missed_is_listed() -> Result<()> {
    let (town, _heatd) = warm()?;
    let rule = component("guests", "misbehave")?;
    let rule = rule.to_str().context("an odd path")?;
    let (code, _, words) = run(heat(&town, &["rules", "deploy", rule])?)?;
    ensure!(code == Some(1) && words.contains("--slot"), "{words}");
    answer(&town, &["rules", "deploy", rule, "--slot", "fave"])?;
    for _ in 0..3 {
        let happened = answer(&town, &["simulate", "chat", "--text", "!do panic", "--live"])?;
        has(&happened, &["this happened in #seaside", "fave  failed"])?;
    }
    eventually("the rule before to be back", || {
        answer(&town, &["rules", "history"]).is_ok_and(|page| page.contains("rollback"))
    })?;
    has(&answer(&town, &["rules", "letters"])?, &["fave", "someone", "unreachable"])?;
    answer(&town, &["rules", "disable", "fave"])?;
    has(&answer(&town, &["rules", "list"])?, &["disabled"])?;
    answer(&town, &["rules", "enable"])?;
    town.chat.say("seaside", "dan", "?fave pie");
    wait_for_heat(&town, "5")
}
