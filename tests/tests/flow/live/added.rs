//! A rule that is added while heatd runs, in a slot of its own: it is called at once, stays over a restart, and everything that looks back
//! knows it.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::api::{Answer, JSON, WASM};
use super::{HEAT, Stage, cast};

/// heatd with `fave` alone: nothing is shown.
fn stage() -> Result<Stage> {
    Stage::with(&cast::one("fave", "")?)
}

fn add(stage: &Stage, query: &str, component: &[u8]) -> Result<Answer> {
    stage.api.ask("POST", &format!("channels/seaside/rules?{query}"), WASM, component)
}

/// `decay`, whose heat never falls, in a slot of its own.
fn add_decay(stage: &Stage) -> Result<Value> {
    add(
        stage,
        "slot=heat&settings=%7B%22set%22:%7B%22half_life%22:%220s%22%7D%7D",
        &cast::rule("decay")?,
    )?
    .done()
}

#[test]
fn a_rule_is_added_between_two_events_and_stays() -> Result<()> {
    let mut stage = stage()?;
    stage.fave("ann");
    stage.town.wait_for_figure("heatd_faves_total", 1)?;
    let done = add_decay(&stage)?;
    ensure!(done["state"] == "new" && done["standing"]["slot"] == "heat", "{done}");
    ensure!(done["checked"] == "the last 1 events", "{done}");
    let says = done["message"].as_str().unwrap_or_default();
    ensure!(
        says.contains("is live in slot heat of #seaside") && says.contains("[[rule]]"),
        "{says}"
    );
    stage.fave("bob");
    stage.heat("1")?;
    ensure!(stage.rule("heat")?["changed"] == true && stage.rule("heat")?["added"] == true);
    ensure!(stage.rule("fave")?["added"] == false);
    // It is counted as other slots are, can be changed as they can, and all of that holds over a restart.
    stage.town.wait_for_figure("heatd_rule_calls_total{slot=\"heat\"}", 1)?;
    stage.api.slot("heat/settings", &json!({ "set": { "per_fave": 5 } }))?.done()?;
    // What differs from the configuration, and what it would be as one.
    let diff = stage.api.get("config/diff")?.json()?;
    ensure!(
        diff["differences"][0]["what"] == "rule" && diff["differences"][0]["slot"] == "heat",
        "{diff}"
    );
    let export = stage.api.get("config/export")?.body;
    ensure!(export.contains("slot = \"heat\"") && export.contains("per_fave = 5"), "{export}");
    stage.fave("cy");
    stage.heat("6")?;
    stage.restart(None)?;
    stage.fave("dee");
    stage.heat("11")?;
    ensure!(stage.rule("heat")?["added"] == true);
    let history = stage.history()?;
    ensure!(history.last().is_some_and(|it| it.0 == "add-rule" && !it.2), "{history:?}");
    Ok(())
}

#[test]
fn of_two_that_add_the_same_slot_at_once_one_is_refused_and_the_rule_stays_counted() -> Result<()> {
    let stage = stage()?;
    let both = std::thread::scope(|scope| {
        let adding = [(); 2].map(|()| scope.spawn(|| add_decay(&stage)));
        adding.map(|one| one.join())
    });
    let both = both.map(|one| one.unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked"))));
    let refused: Vec<String> =
        both.iter().filter_map(|one| one.as_ref().err()).map(|why| format!("{why:#}")).collect();
    ensure!(refused.len() == 1, "{both:?}");
    ensure!(refused[0].contains("has a rule in slot heat already"), "{refused:?}");
    stage.fave("ann");
    stage.heat("1")?;
    stage.town.wait_for_figure("heatd_rule_calls_total{slot=\"heat\"}", 1)
}

#[test]
fn what_looks_back_knows_a_rule_that_came_later() -> Result<()> {
    let stage = stage()?;
    stage.fave("ann");
    stage.town.wait_for_figure("heatd_faves_total", 1)?;
    add_decay(&stage)?;
    for (number, login) in ["bob", "troll", "troll", "cy"].iter().enumerate() {
        stage.fave(login);
        stage.heat(&(number + 1).to_string())?;
    }
    let why = stage.api.get("channels/seaside/why?output=heat")?.json()?;
    let causes = why["causes"].as_array().cloned().unwrap_or_default();
    ensure!(causes.last().is_some_and(|it| it["after"] == "4" && it["slot"] == "heat"), "{why}");
    let body = json!({ "user": "troll", "preview": true });
    let told = stage.api.post("channels/seaside/undo", &body)?.done()?;
    ensure!(told["outputs"]["heat"] == json!({ "before": "4", "after": "2" }), "{told}");
    let told = stage.api.post("channels/seaside/undo", &json!({ "user": "troll" }))?.done()?;
    ensure!(told["corrected"] == "all" && told["faves"] == 2, "{told}");
    ensure!(told["outputs"]["heat"] == json!({ "before": "4", "after": "2" }), "{told}");
    stage.heat("2")?;
    // What was live at that time is replayed as it was, and another rule beside it.
    let replay = stage
        .api
        .post("channels/seaside/replay?slot=heat", &json!({ "set": { "per_fave": 3 } }))?;
    let done = replay.done()?;
    let last = |curve: &Value| curve.as_array().and_then(|it| it.last()).map(|it| it[1].clone());
    ensure!(last(&done["candidate"]) == Some(json!(6.0)), "{done}");
    Ok(())
}

#[test]
fn a_rule_that_no_slot_has_is_replayed_before_it_is_added() -> Result<()> {
    let stage = stage()?;
    for count in 1..=3 {
        stage.fave("ann");
        stage.town.wait_for_figure("heatd_faves_total", count)?;
    }
    let path = "channels/seaside/replay?slot=warmth";
    let done = stage.api.ask("POST", path, WASM, &cast::rule("decay")?)?.done()?;
    ensure!(
        done["live"] == json!([]) && done["candidate"].as_array().is_some_and(|it| !it.is_empty()),
        "{done}"
    );
    let settings = stage.api.post(path, &json!({ "set": { "per_fave": 2 } }))?;
    ensure!(settings.problem(404)?.contains("no slot \"warmth\""));
    ensure!(stage.history()?.is_empty() && stage.shown(HEAT).is_empty());
    Ok(())
}

#[test]
fn nothing_of_a_run_stands_in_the_log_as_if_it_happened_now() -> Result<()> {
    let stage = Stage::with(&(cast::rules("", "")? + &cast::one_guest("misbehave", "")?))?;
    stage.fave("troll");
    stage.heat("1")?;
    stage.say("mallory", "!do panic");
    stage.town.wait_for_figure("heatd_rule_failures_total{slot=\"misbehave\"}", 1)?;
    stage.api.slot("decay/settings", &json!({ "set": { "cap": 100 } }))?.done()?;
    let failed = |line: &String| line.contains("rule failed") || line.contains("rule exchanged");
    let before = stage.heatd.lines().iter().filter(|line| failed(line)).count();
    ensure!(before == 2, "{:#?}", stage.heatd.lines());
    stage.api.get("channels/seaside/why?output=heat")?.json()?;
    stage.api.post("channels/seaside/replay?slot=decay", &json!({}))?.done()?;
    stage.api.post("channels/seaside/undo", &json!({ "user": "troll" }))?.done()?;
    // Everything that they wrote would stand before this line.
    stage.api.slot("decay/disable", &json!({}))?.json()?;
    stage.heatd.wait_for_line(|line| line.contains("task=\"rule.turn\""))?;
    let lines = stage.heatd.lines();
    ensure!(lines.iter().filter(|line| failed(line)).count() == before, "{lines:#?}");
    Ok(())
}

#[test]
fn an_added_rule_is_removed_with_its_state_and_a_configured_one_is_not() -> Result<()> {
    let mut stage = stage()?;
    add_decay(&stage)?;
    stage.fave("ann");
    stage.heat("1")?;
    let delete =
        |slot: &str| stage.api.ask("DELETE", &format!("channels/seaside/rules/{slot}"), JSON, b"");
    let why = delete("fave")?.problem(409)?;
    ensure!(why.contains("take its [[rule]] out of there"), "{why}");
    delete("heat")?.json()?;
    stage.heat("")?;
    ensure!(delete("heat")?.problem(404)?.contains("it has fave"));
    // It begins with nothing when it comes again.
    add_decay(&stage)?;
    stage.fave("bob");
    stage.heat("1")?;
    // So it does for what looks back.
    let why = stage.api.get("channels/seaside/why?output=heat")?.json()?;
    let causes = why["causes"].as_array().cloned().unwrap_or_default();
    ensure!(causes.last().is_some_and(|it| it["after"] == "1"), "{why}");
    let body = json!({ "user": "ann", "preview": true });
    let told = stage.api.post("channels/seaside/undo", &body)?.done()?;
    ensure!(!told.to_string().contains("\"heat\""), "ann's fave was never in this heat: {told}");
    stage.restart(None)?;
    stage.fave("cy");
    stage.heat("2")?;
    Ok(())
}

#[test]
fn the_configuration_has_the_last_word_on_a_slot_of_the_same_name() -> Result<()> {
    let mut stage = stage()?;
    add_decay(&stage)?;
    stage.fave("ann");
    stage.heat("1")?;
    // Two rules of one slot there cannot be. The state goes on where it is of the same rule.
    let decay = cast::one(
        "decay",
        "slot = \"heat\"\nsettings.half_life = \"0s\"\nsettings.per_fave = 10\n",
    )?;
    stage.restart(Some(&(cast::one("fave", "")? + &decay)))?;
    stage.fave("bob");
    stage.heat("11")?;
    ensure!(stage.rule("heat")?["changed"] == false && stage.rule("heat")?["added"] == false);
    stage.restart(Some(&cast::one("fave", "")?))?;
    ensure!(stage.rule("heat").is_err(), "it is back");
    Ok(())
}

#[test]
fn what_cannot_be_added_is_said_and_changes_nothing() -> Result<()> {
    let stage = stage()?;
    let decay = cast::rule("decay")?;
    for (query, component, expected) in [
        ("slot=fave", &decay[..], "has a rule in slot fave already"),
        ("slot=heat&after=hat", &decay, "#seaside has no slot \"hat\"; it has fave"),
        ("slot=A%20B", &decay, "cannot name a slot; a slot is named with"),
        ("slot=heatd", &decay, "cannot name a slot"),
        ("slot=heat", b"not a component", "component: its first bytes are those of something else"),
        (
            "slot=heat&settings=%7B%22set%22:%7B%22half_lief%22:%221s%22%7D%7D",
            &decay,
            "did you mean `half_life`?",
        ),
    ] {
        let why = add(&stage, query, component)?.refused()?;
        ensure!(why.contains(expected), "{query}: {why}");
    }
    ensure!(add(&stage, "after=fave", &decay)?.problem(400)?.contains("name the slot"));
    let all = stage.api.get("rules")?.json()?;
    ensure!(all["rules"].as_array().is_some_and(|rules| rules.len() == 1), "{all}");
    Ok(())
}

/// The settings of a component, as the query has them.
const OTHER_OUTPUT: &str = "settings=%7B%22set%22:%7B%22output%22:%22warmth%22,%22level_output%22:%22warmth-level%22,%22record_output%22:%22warmth-record%22,%22half_life%22:%220s%22%7D%7D";

#[test]
fn what_another_rule_shows_no_other_can_show_live_either() -> Result<()> {
    let stage = Stage::with(&cast::rules("", "")?)?;
    let decay = cast::rule("decay")?;
    let expected = "the rule in slot decay shows the output";
    let why = add(&stage, "slot=warmth", &decay)?.refused()?;
    // All of them at once, with names that are free.
    ensure!(why.contains("outputs heat, level, record already"), "{why}");
    let free = "output=warmth level_output=warmth-level record_output=warmth-record";
    ensure!(why.contains(free), "{why}");
    let replay = "channels/seaside/replay?slot=warmth";
    let why = stage.api.ask("POST", replay, WASM, &decay)?.refused()?;
    ensure!(why.contains(expected), "{why}");
    // With a name of its own it goes, and cannot take the other's afterwards.
    let own = format!("slot=warmth&{OTHER_OUTPUT}");
    stage.fave("ann");
    stage.heat("1")?;
    let replay = format!("{replay}&output=warmth&{OTHER_OUTPUT}");
    stage.api.ask("POST", &replay, WASM, &decay)?.done()?;
    add(&stage, &own, &decay)?.done()?;
    stage.fave("bob");
    stage.watch.wait_for_last("heat/v1/seaside/warmth", "1")?;
    let wish = json!({ "set": { "output": "heat" } });
    let why = stage.api.slot("warmth/settings", &wish)?.refused()?;
    ensure!(why.contains(expected), "{why}");
    stage.town.wait_for_figure("heatd_rule_failures_total{slot=\"warmth\"}", 0)
}

#[test]
fn a_component_comes_with_settings_of_its_own() -> Result<()> {
    let stage = Stage::with(&cast::rules("", "")?)?;
    let decay = cast::rule("decay")?;
    let set = "settings=%7B%22set%22:%7B%22per_fave%22:7%7D%7D";
    let shadow = format!("channels/seaside/rules/decay/shadow?{set}");
    stage.api.ask("POST", &shadow, WASM, &decay)?.done()?;
    stage.fave("ann");
    stage.watch.wait_for_last("heat/v1/seaside/shadow/heat", "7")?;
    stage.heat("1")?;
    stage.api.slot("decay/drop", &json!({}))?.done()?;
    let path = format!("channels/seaside/rules/decay?{set}");
    stage.api.ask("PUT", &path, WASM, &decay)?.done()?;
    stage.fave("bob");
    stage.heat("8")?;
    // Settings of the query are for a component; the others are the body.
    let settings = stage.api.ask("POST", &shadow, JSON, b"{}")?.problem(400)?;
    ensure!(settings.contains("goes with a component"), "{settings}");
    Ok(())
}

#[test]
fn dead_letters_go_with_a_rule_that_is_removed() -> Result<()> {
    let stage = stage()?;
    add(&stage, "slot=odd", &cast::guest("misbehave")?)?.done()?;
    stage.say("ann", "!do panic");
    stage.town.wait_for_figure("heatd_rule_failures_total{slot=\"odd\"}", 1)?;
    let letters = || -> Result<usize> {
        let told = stage.api.get("dead-letters")?.json()?;
        Ok(told["dead_letters"].as_array().map_or(0, Vec::len))
    };
    heat_tests::patience::eventually("the letter", || match letters()? {
        1 => Ok(()),
        other => anyhow::bail!("{other} letters"),
    })?;
    stage.api.ask("DELETE", "channels/seaside/rules/odd", JSON, b"")?.json()?;
    heat_tests::patience::eventually("no letter", || match letters()? {
        0 => Ok(()),
        other => anyhow::bail!("{other} letters"),
    })
}
