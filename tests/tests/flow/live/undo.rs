//! Taking back: what somebody did, one event, and what a component did.

use anyhow::{Context, Result, ensure};
use heat_tests::twitch::{Line, Pace};
use serde_json::{Value, json};

use super::{HEAT, Stage, cast};

fn undo(stage: &Stage, body: Value) -> Result<Value> {
    stage.api.post("channels/seaside/undo", &body)?.done()
}

fn refused(stage: &Stage, body: Value) -> Result<String> {
    stage.api.post("channels/seaside/undo", &body)?.refused()
}

#[test]
fn somebody_is_taken_back_once_and_a_preview_takes_nothing() -> Result<()> {
    let mut stage = Stage::with(&(cast::rules("", "")? + &cast::one_guest("witness", "")?))?;
    for (number, login) in ["ann", "troll", "troll", "bob"].iter().enumerate() {
        stage.fave(login);
        stage.heat(&(number + 1).to_string())?;
    }
    let seen = "heat/v1/seaside/seen";
    stage.watch.wait_for_last(seen, "4 faves of 3 people, 4 for ")?;
    let told = undo(&stage, json!({ "user": "@Troll", "preview": true }))?;
    ensure!(told["preview"] == true && told["faves"] == 2 && told["events"] == 2, "{told}");
    ensure!(told["outputs"]["heat"] == json!({ "before": "4", "after": "2" }), "{told}");
    stage.fave("cy");
    stage.heat("5")?;
    stage.watch.wait_for_last(seen, "5 faves of 4 people, 5 for ")?;
    ensure!(stage.history()?.is_empty());

    let told = undo(&stage, json!({ "user": "troll" }))?;
    ensure!(told["faves"] == 2 && told["weight"] == 2.0 && told["corrected"] == "all", "{told}");
    ensure!(told["outputs"]["heat"] == json!({ "before": "5", "after": "3" }), "{told}");
    stage.heat("3")?;
    for (body, unknown) in
        [(json!({ "user": "troll" }), false), (json!({ "user": "nobody" }), true)]
    {
        let why = refused(&stage, body)?;
        ensure!(why.contains("there is nothing to take back"), "{why}");
        ensure!(why.contains("nobody called nobody was ever seen in #seaside") == unknown, "{why}");
    }
    let why = refused(&stage, json!({ "event": "no-such-event" }))?;
    ensure!(why.contains("there is no event no-such-event in the log of #seaside"), "{why}");
    for body in [json!({}), json!({ "user": "ann", "event": "x" })] {
        ensure!(
            refused(&stage, body)?
                .contains("say one of `user`, `users`, `item`, `everybody`, `event` and `digest`")
        );
    }
    ensure!(
        refused(&stage, json!({ "user": "ann", "since": 99_999_999_999_999u64 }))?
            .contains("nothing to take back")
    );
    stage.api.post("channels/seaside/undo", &json!({ "usr": "ann" }))?.problem(400)?;
    stage.fave("dee");
    stage.heat("4")?;
    stage.watch.wait_for_last(seen, "4 faves of 4 people, 4 for ")?;
    // The one who was taken back may come again, and it is so after a restart.
    stage.restart(None)?;
    stage.fave("troll");
    stage.heat("5")?;
    stage.watch.wait_for_last(seen, "5 faves of 5 people, 5 for ")?;
    assert_eq!(stage.shown(HEAT), ["1", "2", "3", "4", "5", "3", "4", "5"]);
    let history = stage.history()?;
    ensure!(history.len() == 1 && history[0].0 == "undo", "{history:?}");
    Ok(())
}

#[test]
fn two_who_take_the_same_back_at_once_take_it_back_once() -> Result<()> {
    let stage = Stage::with(&(cast::rules("", "")? + &cast::one_guest("witness", "")?))?;
    for number in 1..=6 {
        stage.fave(if number % 2 == 0 { "troll" } else { "ann" });
        stage.heat(&number.to_string())?;
    }
    let answers: Vec<_> = std::thread::scope(|scope| {
        let ask = || stage.api.post("channels/seaside/undo", &json!({ "user": "troll" }));
        let started: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        started
            .into_iter()
            .map(|it| it.join().map_err(|_| anyhow::anyhow!("no answer"))?)
            .collect::<Result<_>>()
    })?;
    assert_eq!(answers.iter().filter(|it| it.done().is_ok()).count(), 1, "{answers:?}");
    stage.fave("bob");
    stage.heat("4")?;
    stage.watch.wait_for_last("heat/v1/seaside/seen", "4 faves of 2 people, 4 for ").map(drop)
}

#[test]
fn what_is_taken_back_stays_so_when_the_rule_before_comes_back() -> Result<()> {
    let stage = Stage::new()?;
    for (number, login) in ["ann", "troll", "troll"].iter().enumerate() {
        stage.fave(login);
        stage.heat(&(number + 1).to_string())?;
    }
    stage.api.slot("decay/settings", &json!({ "set": { "cap": 100 } }))?.done()?;
    stage.api.slot("decay/shadow", &json!({ "set": { "per_fave": 2 } }))?.done()?;
    undo(&stage, json!({ "user": "troll" }))?;
    stage.heat("1")?;
    stage.api.slot("decay/rollback", &json!({}))?.done()?;
    stage.fave("bob");
    stage.heat("2")?;
    stage.watch.wait_for_last("heat/v1/seaside/shadow/heat", "3")?;
    assert_eq!(stage.shown(HEAT), ["1", "2", "3", "1", "2"]);
    Ok(())
}

#[test]
fn what_a_component_did_is_counted_again_by_the_one_that_is_live() -> Result<()> {
    let stage = Stage::with(&(cast::rules("", "")? + &cast::one_guest("witness", "")?))?;
    let seen = "heat/v1/seaside/seen";
    stage.fave("ann");
    stage.heat("1")?;
    let first = stage.rule("fave")?["digest"].as_str().context("no digest")?.to_owned();
    let live = undo_of(&stage, &first)?;
    ensure!(live.contains("that component is live"), "{live}");
    // One that takes every line of the word for a fave, for a while.
    stage.api.deploy("fave", &cast::padded(&cast::rule("fave")?, 4)?)?.done()?;
    stage.api.slot("fave/settings", &json!({ "set": { "words": ["LUL"] } }))?.done()?;
    let wrong = stage.rule("fave")?["digest"].as_str().context("no digest")?.to_owned();
    for (login, text, heat) in
        [("bob", "LUL", "2"), ("bob", "LUL", "3"), ("cy", "?fave", "4"), ("troll", "?fave", "5")]
    {
        stage.say(login, text);
        stage.heat(heat)?;
    }
    undo(&stage, json!({ "user": "troll" }))?;
    stage.heat("4")?;
    stage.api.slot("fave/rollback", &json!({}))?.done()?;
    stage.api.slot("fave/rollback", &json!({}))?.done()?;
    ensure!(stage.rule("fave")?["digest"] == first.as_str());
    stage.fave("dee");
    stage.heat("5")?;
    let preview = undo(&stage, json!({ "digest": &wrong[..12], "preview": true }))?;
    ensure!(preview["outputs"]["heat"] == json!({ "before": "5", "after": "3" }), "{preview}");
    undo(&stage, json!({ "digest": &wrong[..12] }))?;
    stage.heat("3")?;
    // Once is enough.
    let again = undo_of(&stage, &wrong)?;
    ensure!(again.contains("nothing to take back"), "{again}");
    stage.fave("eve");
    stage.heat("4")?;
    stage.watch.wait_for_last(seen, "4 faves of 4 people, 4 for ")?;
    let unknown = undo_of(&stage, "0123456789")?;
    ensure!(unknown.contains("no component \"0123456789\" was ever live"), "{unknown}");
    Ok(())
}

fn undo_of(stage: &Stage, digest: &str) -> Result<String> {
    refused(stage, json!({ "digest": digest }))
}

#[test]
fn somebody_is_taken_back_while_events_pour_in() -> Result<()> {
    const LINES: usize = 600;
    let stage = Stage::with(&(cast::rules("", "")? + &cast::one_guest("witness", "")?))?;
    for (number, login) in ["troll", "ann", "troll"].iter().enumerate() {
        stage.fave(login);
        stage.heat(&(number + 1).to_string())?;
    }
    let lines: Vec<_> = (0..LINES)
        .map(|_| Line::chat("seaside", "bob", "?fave").to_string().into_bytes())
        .collect();
    std::thread::scope(|scope| -> Result<()> {
        let chat = &stage.town.chat;
        let sender = scope.spawn(move || chat.replay(&lines, Pace::AsFastAsPossible));
        stage.watch.wait_for(|it| it.topic == HEAT && it.text().len() > 1)?;
        let told = undo(&stage, json!({ "user": "troll" }))?;
        ensure!(told["faves"] == 2 && told["corrected"] == "all", "{told}");
        sender.join().map(drop).map_err(|_| anyhow::anyhow!("the sender failed"))
    })?;
    let end = LINES + 1;
    stage.heat(&end.to_string())?;
    let seen = format!("{end} faves of 2 people, {end} for ");
    stage.watch.wait_for_last("heat/v1/seaside/seen", &seen).map(drop)
}
