//! Shadows: rules that run beside what is live, show only below `shadow/`, and can take its place.

use anyhow::{Result, ensure};
use heat_tests::twitch::{Line, Pace};
use serde_json::json;

use super::{HEAT, Stage, cast};

const SHADOW: &str = "heat/v1/seaside/shadow/heat";

#[test]
fn a_shadow_shows_only_beside_and_leaves_nothing() -> Result<()> {
    let mut stage = Stage::with(
        &(cast::rules("", "")? + &cast::one_guest("publisher", "publish = [\"lights/#\"]")?),
    )?;
    stage.fave("ann");
    stage.heat("1")?;
    let messages = |stage: &Stage| {
        stage.watch.messages().iter().filter(|it| it.topic == "lights/flash").count()
    };
    stage.watch.wait_for(|it| it.topic == "lights/flash")?;
    let done = stage.api.slot("decay/shadow", &json!({ "set": { "per_fave": 10 } }))?.done()?;
    ensure!(done["shadow"]["name"] == "decay" && done["shadow"]["events"] == 0, "{done}");
    stage.api.slot("publisher/shadow", &json!({}))?.done()?;
    stage.fave("bob");
    // It goes on with the state of what is live: 1 + 10.
    stage.watch.wait_for_last(SHADOW, "11")?;
    stage.heat("2")?;
    stage.fave("cy");
    stage.watch.wait_for_last(SHADOW, "21")?;
    stage.heat("3")?;
    let rule = stage.rule("decay")?;
    ensure!(rule["shadow"]["outputs"]["heat"] == "21" && rule["shadow"]["events"] == 2, "{rule}");
    ensure!(rule["state"] == "live" && rule["changed"] == false, "{rule}");
    // Nobody counts, publishes or says anything twice.
    assert_eq!(stage.faves()?, 3);
    assert_eq!(messages(&stage), 3);
    assert_eq!(stage.shown(HEAT), ["1", "2", "3"]);
    assert_eq!(stage.rule("publisher")?["calls"], 3);
    ensure!(stage.history()?.is_empty(), "a shadow changes nothing");

    stage.api.slot("decay/drop", &json!({}))?.done()?;
    stage.watch.wait_for_last(SHADOW, "")?;
    // Nor the audit log; heatd's log says both, and by whom.
    for said in ["shadow started", "shadow dropped"] {
        let line = stage.heatd.wait_for_line(|line| line.contains(said))?;
        let has = |field: &str| line.contains(field);
        ensure!(has("seaside") && has("decay") && has("owner") && has("digest="), "{line}");
    }
    let none = stage.api.slot("decay/drop", &json!({}))?.problem(409)?;
    ensure!(none.contains("nothing runs beside slot decay"), "{none}");
    ensure!(stage.api.slot("decay/promote", &json!({}))?.problem(409)?.contains("nothing runs"));

    // A restart ends it as well.
    stage.api.slot("decay/shadow", &json!({ "set": { "per_fave": 5 } }))?.done()?;
    stage.fave("dee");
    stage.watch.wait_for_last(SHADOW, "8")?;
    stage.heatd.kill()?;
    stage.start_again(None)?;
    stage.watch.wait_for_last(SHADOW, "")?;
    ensure!(stage.rule("decay")?["shadow"].is_null());
    let retained = stage.broker.subscribe("heat/v1/seaside/shadow/#")?;
    stage.fave("eve");
    stage.heat("5")?;
    ensure!(retained.messages().iter().all(|it| it.payload.is_empty()), "nothing is retained");
    Ok(())
}

#[test]
fn a_shadow_of_a_handler_changes_the_heat_of_its_own_run_alone() -> Result<()> {
    let stage = Stage::new()?;
    stage.fave("ann");
    stage.heat("1")?;
    stage.api.slot("fave/shadow", &json!({ "set": { "words": ["LUL"] } }))?.done()?;
    stage.api.slot("decay/shadow", &json!({ "set": { "per_fave": 2 } }))?.done()?;
    stage.say("bob", "LUL");
    stage.fave("bob");
    stage.heat("2")?;
    // The shadow of `decay` follows what is live, where the word is nothing.
    stage.watch.wait_for_last(SHADOW, "3")?;
    // One that is promoted beside it changes what it follows, and it goes on.
    stage.api.slot("fave/promote", &json!({}))?.done()?;
    stage.say("cy", "LUL");
    stage.heat("3")?;
    stage.watch.wait_for_last(SHADOW, "5")?;
    // So it does when a component comes that was not there when the shadow began.
    stage.api.deploy("fave", &cast::padded(&cast::rule("fave")?, 9)?)?.done()?;
    stage.say("dee", "LUL");
    stage.heat("4")?;
    stage.watch.wait_for_last(SHADOW, "7")?;
    ensure!(stage.rule("decay")?["shadow"]["outputs"]["heat"] == "7");
    ensure!(stage.rule("fave")?["shadow"].is_null());
    Ok(())
}

#[test]
fn a_shadow_takes_over_in_one_step_while_events_pour_in() -> Result<()> {
    const FAVES: usize = 400;
    let stage = Stage::new()?;
    stage.fave("ann");
    stage.heat("1")?;
    stage.api.slot("decay/shadow", &json!({ "set": { "per_fave": 1000 } }))?.done()?;
    let lines: Vec<_> = (0..FAVES)
        .map(|_| Line::chat("seaside", "bob", "?fave").to_string().into_bytes())
        .collect();
    std::thread::scope(|scope| -> Result<()> {
        let chat = &stage.town.chat;
        let sender = scope.spawn(move || chat.replay(&lines, Pace::AsFastAsPossible));
        stage.watch.wait_for(|it| it.topic == SHADOW)?;
        heat_tests::patience::eventually("the promotion", || {
            stage.api.slot("decay/promote", &json!({}))?.done()
        })?;
        sender.join().map(drop).map_err(|_| anyhow::anyhow!("the sender failed"))
    })?;
    let end = format!("{FAVES}001");
    stage.heat(&end)?;
    stage.watch.wait_for_last(SHADOW, "")?;
    let shown: Vec<usize> =
        stage.shown(HEAT).iter().map(|it| it.parse()).collect::<Result<_, _>>()?;
    let step = shown.iter().position(|heat| *heat > FAVES + 1).unwrap_or(0);
    let (live, promoted) = shown.split_at(step);
    ensure!(live.windows(2).all(|pair| pair[0] < pair[1]), "{shown:?}");
    ensure!(promoted.windows(2).all(|pair| pair[0] < pair[1]), "{shown:?}");
    ensure!(promoted.iter().all(|heat| heat % 1000 == 1), "{shown:?}");
    assert_eq!(stage.faves()?, FAVES as u64 + 1);
    // Back is where the rule before would be, in one step as well.
    stage.api.slot("decay/rollback", &json!({}))?.done()?;
    stage.heat(&(FAVES + 1).to_string())
}
