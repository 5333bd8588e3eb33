//! Other settings for a rule that runs: the next event uses them, the heat never flickers, and the later change holds.

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;
use serde_json::json;

use super::{HEAT, Stage, cast};

#[test]
fn settings_hold_from_the_next_event_on_and_the_later_change_after_a_restart() -> Result<()> {
    let mut stage = Stage::with(&cast::rules("", "settings.levels = { warm = 2 }")?)?;
    for heat in ["1", "2", "3"] {
        stage.fave("ann");
        stage.heat(heat)?;
    }
    let done = stage.api.slot("decay/settings", &json!({ "set": { "per_fave": 2 } }))?.done()?;
    ensure!(done["state"] == "kept" && done["standing"]["state"] == "probation", "{done}");
    ensure!(done["checked"].as_str().is_some_and(|it| it.contains("3 events")), "{done}");
    stage.fave("bob");
    stage.heat("5")?;
    assert_eq!(stage.shown(HEAT), ["1", "2", "3", "5"]);
    assert_eq!(stage.shown("heat/v1/seaside/level"), ["warm"]);
    let rule = stage.rule("decay")?;
    ensure!(rule["changed"] == true && rule["settings"]["per_fave"] == 2.0, "{rule}");

    // It holds after a restart, as long as the file says what it said.
    stage.restart(None)?;
    stage.fave("cy");
    stage.heat("7")?;
    let edited = cast::rules("", "settings.levels = { warm = 2 }\nsettings.per_fave = 10")?;
    stage.restart(Some(&edited))?;
    stage.fave("dee");
    stage.heat("17")?;
    ensure!(stage.rule("decay")?["changed"] == false);
    assert_eq!(stage.shown(HEAT), ["1", "2", "3", "5", "7", "17"], "nothing was in between");

    // And nothing holds where the file alone decides.
    stage.restart(Some(
        &edited.replace("settings.half_life", "source = \"file\"\nsettings.half_life"),
    ))?;
    let answer = stage.api.slot("decay/settings", &json!({ "set": { "per_fave": 3 } }))?;
    let refused = answer.refused()?;
    ensure!(refused.contains("the configuration says that it alone decides"), "{refused}");
    for action in ["disable", "rollback"] {
        let refused = stage.api.slot(&format!("decay/{action}"), &json!({}))?.problem(409)?;
        ensure!(refused.contains("alone decides"), "{action}: {refused}");
    }
    // What changes nothing can be asked of it.
    stage.api.slot("decay/shadow", &json!({ "set": { "per_fave": 3 } }))?.done()?;
    stage.api.slot("decay/drop", &json!({}))?.done()?;
    stage.fave("eve");
    stage.heat("27")
}

#[test]
fn topics_that_a_rule_takes_only_now_are_subscribed_to_at_once() -> Result<()> {
    let stage = Stage::with(&cast::rules("", "")?)?;
    stage.fave("ann");
    stage.heat("1")?;
    let edit = json!({ "set": { "topics": ["deck/later"] } });
    stage.api.slot("fave/settings", &edit)?.done()?;
    // heatd subscribes on its own time; the broker keeps nothing for clients that are not there yet.
    eventually("a message on the new topic to count", || {
        let sent = stage.broker.publish("deck/later", b"{\"id\":\"once\"}", false, 1);
        sent.map_err(|error| error.to_string())?;
        match stage.watch.last(HEAT) {
            Some(heat) if heat == "2" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
}

#[test]
fn a_slot_that_is_off_shows_nothing_and_what_it_showed_when_it_is_on_again() -> Result<()> {
    let mut stage = Stage::with(&cast::rules("", "settings.levels = { warm = 2 }")?)?;
    (0..3).for_each(|_| stage.fave("ann"));
    stage.heat("3")?;
    let topics = ["heat", "record", "level"].map(|name| format!("heat/v1/seaside/{name}"));
    let before: Vec<_> = topics.iter().map(|topic| stage.watch.last(topic)).collect();
    ensure!(before.iter().flatten().count() == 3, "{before:?}");
    stage.api.slot("decay/disable", &json!({}))?.done()?;
    for topic in &topics {
        stage.watch.wait_for_last(topic, "")?;
    }
    stage.restart(None)?;
    stage.wait_for_state("decay", "disabled")?;
    let again = stage.api.slot("decay/disable", &json!({}))?.problem(409)?;
    ensure!(again.contains("off already"), "{again}");
    stage.api.slot("decay/enable", &json!({}))?.done()?;
    for (topic, text) in topics.iter().zip(before.iter().flatten()) {
        stage.watch.wait_for_last(topic, text)?;
    }
    stage.fave("bob");
    stage.heat("4")?;
    // Something else in a slot that is off turns it on, and goes on with what it showed.
    stage.api.slot("decay/disable", &json!({}))?.done()?;
    stage.heat("")?;
    stage.api.slot("decay/settings", &json!({ "set": { "cap": 9 } }))?.done()?;
    stage.heat("4")?;
    stage.watch.wait_for_last(&topics[2], "warm").map(drop)
}
