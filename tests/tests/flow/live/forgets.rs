//! Forgetting a person, with `heat` and by the API, while everything runs.

use anyhow::{Context, Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::twitch::{Line, Pace};
use serde_json::{Value, json};

use super::{HEAT, Stage, cast};
use crate::client::{answer, heat, run};

fn forget(stage: &Stage, body: Value) -> Result<Value> {
    stage.api.post("channels/seaside/forget", &body)?.done()
}

fn stage() -> Result<Stage> {
    Stage::with(&(cast::rules("", "")? + &cast::one_guest("witness", "")?))
}

/// The log and the counts, as text.
fn exported(stage: &Stage) -> Result<String> {
    answer(&stage.town, &["export"])
}

#[test]
fn somebody_is_forgotten_everywhere_and_everything_goes_on() -> Result<()> {
    let mut stage = stage()?;
    for (number, login) in ["ann", "troll", "troll", "bob"].iter().enumerate() {
        stage.fave(login);
        stage.heat(&(number + 1).to_string())?;
    }
    stage.say("ann", "bye @troll");
    stage.town.wait_for_figure("heatd_chat_lines_total", 5)?;
    stage.api.slot("decay/shadow", &json!({ "set": { "per_fave": 2 } }))?.done()?;
    std::fs::write(stage.town.path("heat-data/older.redb"), "a copy")?;

    let told = answer(&stage.town, &["forget", "Troll", "--preview"])?;
    ensure!(
        told.contains("one person would be forgotten in #seaside: 2 events and 2 faves"),
        "{told}"
    );
    ensure!(
        told.contains(
            "4 faves (weight 4) of 3 people before, 2 faves (weight 2) of 2 people after"
        ),
        "{told}"
    );
    ensure!(told.contains("heat would show \"2\" instead of \"4\""), "{told}");
    ensure!(told.contains("1 message of other people that name them stay"), "{told}");
    ensure!(told.contains("older.redb"), "{told}");
    ensure!(exported(&stage)?.contains("\"login\":\"troll\""));
    // Nobody can be asked here.
    let (code, _, words) = run(heat(&stage.town, &["forget", "troll"])?)?;
    ensure!(code == Some(1) && words.contains("--yes does it"), "{words}");

    let told = answer(&stage.town, &["forget", "@Troll", "--yes"])?;
    ensure!(told.contains("one person is forgotten in #seaside: 2 events and 2 faves"), "{told}");
    stage.heat("2")?;
    let left = exported(&stage)?;
    ensure!(!left.contains("\"login\":\"troll\"") && left.contains("bye @troll"), "{left}");
    let (code, _, words) = run(heat(&stage.town, &["forget", "troll", "--yes"])?)?;
    ensure!(code == Some(1) && words.contains("nobody is known as \"troll\""), "{words}");
    let history = stage.api.get("audit")?.json()?.to_string();
    ensure!(history.contains("a person is forgotten") && !history.contains("troll"), "{history}");
    // By whose token it was.
    ensure!(stage.api.get("audit?count=1")?.json()?["entries"][0]["by"] == "owner", "{history}");
    // Neither does heatd's own log.
    ensure!(stage.heatd.lines().iter().all(|line| !line.contains("troll")));

    let seen = "heat/v1/seaside/seen";
    stage.fave("dee");
    stage.heat("3")?;
    stage.watch.wait_for_last(seen, "3 faves of 3 people, 3 for ")?;
    stage.watch.wait_for_last("heat/v1/seaside/shadow/heat", "4")?;
    let why = stage.api.get("channels/seaside/why")?.json()?;
    let people: Vec<&str> = why["causes"]
        .as_array()
        .context("no causes")?
        .iter()
        .filter_map(|it| it["person"].as_str())
        .collect();
    assert_eq!(people, ["ann", "bob", "dee"]);
    // Who was forgotten may come again, and is somebody new.
    stage.restart(None)?;
    stage.fave("troll");
    stage.heat("4")?;
    stage.watch.wait_for_last(seen, "4 faves of 4 people, 4 for ")?;
    let undone = stage.api.post("channels/seaside/undo", &json!({ "user": "bob" }))?.done()?;
    ensure!(undone["faves"] == 1 && undone["corrected"] == "all", "{undone}");
    stage.heat("3")
}

#[test]
fn somebody_is_forgotten_while_events_pour_in() -> Result<()> {
    const LINES: usize = 600;
    let stage = stage()?;
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
        // Where the run is behind what happens, nothing is changed, and it is tried again.
        let told = eventually("troll to be forgotten", || {
            forget(&stage, json!({ "user": "troll" })).map_err(|error| error.to_string())
        })?;
        ensure!(told["faves"] == 2 && told["state"] == "all", "{told}");
        sender.join().map(drop).map_err(|_| anyhow::anyhow!("the sender failed"))
    })?;
    let end = LINES + 1;
    stage.heat(&end.to_string())?;
    let seen = format!("{end} faves of 2 people, {end} for ");
    stage.watch.wait_for_last("heat/v1/seaside/seen", &seen)?;
    let left = exported(&stage)?;
    let logged = left.matches("\"kind\":\"faves\"").count();
    ensure!(logged == end && !left.contains("troll"), "{logged} of {end}");
    Ok(())
}

#[test]
fn what_cannot_be_forgotten_is_refused_with_the_reason() -> Result<()> {
    let stage = stage()?;
    stage.fave("ann");
    stage.heat("1")?;
    let refused = |body: Value| stage.api.post("channels/seaside/forget", &body)?.refused();
    ensure!(refused(json!({ "user": "nobody" }))?.contains("nobody is known as \"nobody\""));
    ensure!(refused(json!({ "user": " " }))?.contains("say who"));
    stage.api.post("channels/seaside/forget", &json!({ "usr": "ann" }))?.problem(400)?;
    stage.api.post("channels/nowhere/forget", &json!({ "user": "ann" }))?.problem(404)?;
    stage.heat("1")
}
