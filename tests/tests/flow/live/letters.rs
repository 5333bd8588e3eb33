//! Calls that had no effects: listed, and made again with what is live then.

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;
use serde_json::{Value, json};

use super::{Stage, cast};

fn letters(stage: &Stage, query: &str) -> Result<Vec<Value>> {
    let letters = stage.api.get(&format!("dead-letters{query}"))?.json()?;
    Ok(letters["dead_letters"].as_array().cloned().unwrap_or_default())
}

#[test]
fn dead_letters_are_listed_and_made_again_over_a_restart_too() -> Result<()> {
    // The word LUL is a fave where the rule `fave` is, and nothing where `misbehave` is in its place.
    let rules = cast::one_guest("misbehave", "slot = \"fave\"")?
        + &cast::one("decay", "settings.half_life = \"0s\"")?;
    let mut stage = Stage::with(&rules)?;
    for _ in 0..3 {
        stage.say("ann", "!do panic");
    }
    let found = eventually("three letters", || {
        letters(&stage, "").and_then(|it| match it.len() {
            3 => Ok(it),
            other => anyhow::bail!("{other} letters"),
        })
    })?;
    let letter = &found[0];
    ensure!(
        letter["slot"] == "fave" && letter["channel"] == "seaside" && letter["call"] == 0,
        "{letter}"
    );
    ensure!(letter["person"] == "ann" && letter["kind"] == "command", "{letter}");
    ensure!(letter["cause"].as_str().is_some_and(|it| it.contains("trapped")), "{letter}");
    ensure!(letters(&stage, "?channel=seaside&slot=decay")?.is_empty());
    let unknown = stage.api.slot("fave/retry", &json!({ "letter": 99 }))?.problem(404)?;
    ensure!(unknown.contains("no such dead letter"), "{unknown}");

    stage.restart(None)?;
    let done = stage.api.slot("fave/retry", &json!({}))?.done()?;
    ensure!(done["again"] == 3 && done["failed"] == 3, "{done}");
    assert_eq!(letters(&stage, "")?.len(), 3, "those that failed again are letters again");

    // With a rule that takes another command nothing is made of them, and they are done with.
    let fixed = json!({ "set": { "command": "!do" } });
    stage.api.deploy("fave", &cast::rule("fave")?)?.done()?;
    stage.api.slot("fave/settings", &fixed)?.done()?;
    let one = letters(&stage, "")?[0]["number"].clone();
    let done = stage.api.slot("fave/retry", &json!({ "letter": one }))?.done()?;
    ensure!(done["again"] == 1 && done["failed"] == 0, "{done}");
    stage.heat("1")?;
    stage.api.slot("fave/retry", &json!({}))?.done()?;
    stage.heat("3")?;
    ensure!(letters(&stage, "")?.is_empty());
    Ok(())
}
