//! What would be, and why something is: simulate and why.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{HEAT, Stage, cast};

#[test]
fn what_is_simulated_changes_nothing_unless_it_shall_happen() -> Result<()> {
    let stage = Stage::with(
        &(cast::rules("", "")?
            + &cast::one_guest("misbehave", "")?
            + &cast::one_guest("publisher", "publish = [\"lights/#\"]")?),
    )?;
    stage.fave("ann");
    stage.heat("1")?;
    stage.watch.wait_for(|it| it.topic == "lights/flash")?;
    let simulate = |event: Value, live: bool| {
        stage.api.post("channels/seaside/simulate", &json!({ "event": event, "live": live }))
    };
    let told = simulate(json!({ "kind": "fave", "user": "Bob", "item": "pie" }), false)?.json()?;
    ensure!(told["simulated"] == true && told["faves"] == 1.0, "{told}");
    ensure!(told["outputs"]["heat"] == json!({ "before": "1", "after": "2" }), "{told}");
    let answers = told["answers"].as_array().context("no answers")?;
    let slots: Vec<_> = answers.iter().filter_map(|it| it["slot"].as_str()).collect();
    assert_eq!(slots, ["fave", "decay", "publisher"]);
    ensure!(answers[0]["effects"][0].as_str().is_some_and(|it| it.contains("fave")), "{told}");
    let failed = simulate(json!({ "kind": "chat", "text": "!do panic" }), false)?.json()?;
    ensure!(
        failed["answers"][0]["fault"].as_str().is_some_and(|it| it.contains("trapped")),
        "{failed}"
    );
    for kind in
        ["sub", "gift", "cheer", "raid", "follow", "redeem", "stream-start", "stream-end", "chat"]
    {
        let told = simulate(json!({ "kind": kind }), false)?.json()?;
        ensure!(told["simulated"] == true && told["faves"] == 0.0, "{kind}: {told}");
    }
    for wrong in [json!({ "kind": "party" }), json!({}), json!({ "kind": "fave", "itme": 1 })] {
        simulate(wrong, false)?.problem(400)?;
    }
    ensure!(
        simulate(json!({ "kind": "sub", "tier": 4 }), false)?.problem(409)?.contains("no tier 4")
    );
    // Nothing of that has happened.
    assert_eq!(stage.faves()?, 1);
    assert_eq!(stage.rule("misbehave")?["failures"], 0);
    ensure!(stage.api.get("dead-letters")?.json()?["dead_letters"] == json!([]));
    assert_eq!(stage.shown(HEAT), ["1"]);
    assert_eq!(stage.watch.messages().iter().filter(|it| it.topic == "lights/flash").count(), 1);
    assert_eq!(stage.watch.last("heat/v1/seaside/stream").as_deref(), Some("unknown"));

    let told = simulate(json!({ "kind": "fave", "user": "bob" }), true)?.json()?;
    ensure!(told["simulated"] == false, "{told}");
    stage.heat("2")?;
    assert_eq!(stage.faves()?, 2);
    ensure!(told["id"].as_str().is_some_and(|id| id.starts_with("simulated:")), "{told}");
    // It can be told from the others, and taken back.
    let id = told["id"].clone();
    stage.api.post("channels/seaside/undo", &json!({ "event": id }))?.done()?;
    stage.heat("1")
}

#[test]
fn why_tells_what_is_behind_an_output() -> Result<()> {
    let stage = Stage::new()?;
    for (login, heat) in [("ann", "1"), ("bob", "2")] {
        stage.fave(login);
        stage.heat(heat)?;
    }
    stage.api.slot("decay/settings", &json!({ "set": { "per_fave": 5 } }))?.done()?;
    let said = stage.town.chat.say("seaside", "cy", "?fave pie");
    stage.heat("7")?;
    let why = stage.api.get("channels/seaside/why")?.json()?;
    let causes = why["causes"].as_array().context("no causes")?;
    let told: Vec<_> = causes
        .iter()
        .map(|it| (it["person"].clone(), it["before"].clone(), it["after"].clone()))
        .collect();
    let wanted = [
        (json!("ann"), Value::Null, json!("1")),
        (json!("bob"), json!("1"), json!("2")),
        (json!("cy"), json!("2"), json!("7")),
    ];
    assert_eq!(told, wanted);
    let last = &causes[2];
    ensure!(last["slot"] == "decay" && last["kind"] == "chat" && last["faves"] == 1.0, "{last}");
    ensure!(last["event"].as_str().is_some_and(|id| id.contains(&said.id)), "{last}");
    ensure!(last["digest"] == stage.rule("decay")?["digest"], "{last}");
    let one = stage.api.get("channels/%23Seaside/why?output=heat&count=1")?.json()?;
    ensure!(
        one["causes"].as_array().is_some_and(|it| it.len() == 1 && it[0]["person"] == "cy"),
        "{one}"
    );
    let why = stage.api.get("channels/seaside/why?output=nothing")?.problem(404)?;
    assert_eq!(why, "there is no output nothing; there are heat, record");
    Ok(())
}
