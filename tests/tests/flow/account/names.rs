//! Who is named by login alone is the person whom Twitch knows by it, also before that person has written anything.

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::twitch::Line;

use super::stage::{Plan, Stage};

/// The lines of an export that count what somebody gave to items.
fn counts(stage: &Stage, login: &str) -> Result<Vec<String>> {
    let (_, words) = stage.says(&["export", "--what", "counts"])?;
    let of = format!("\"login\":\"{login}\"");
    let is_it = |line: &&str| line.contains("person-item") && line.contains(&of);
    Ok(words.lines().filter(is_it).map(str::to_owned).collect())
}

#[test]
fn a_fave_by_hand_is_the_persons_own() -> Result<()> {
    let stage = Stage::new(&Plan::default())?;
    eventually("the login", || stage.account().is_ok_and(|it| it["state"] == "logged-in"))?;
    let order = Line::chat("seaside", "mona", "?heat add 5 @Bob pie").badge("moderator/1");
    stage.town.chat.send("seaside", &order);
    stage.wait_for_heat(5)?;
    // bob has never written here.
    eventually("bob's id", || {
        let counts = counts(&stage, "bob")?;
        ensure!(counts.len() == 1 && counts[0].contains("\"id\":\"22\""), "{counts:?}");
        anyhow::Ok(())
    })?;
    stage
        .town
        .chat
        .send("seaside", &Line::chat("seaside", "bob", "?fave pie").tag("user-id", "22"));
    stage.wait_for_heat(6)?;
    let order = Line::chat("seaside", "mona", "?heat add 2 @bob pie").badge("moderator/1");
    stage.town.chat.send("seaside", &order);
    stage.wait_for_heat(8)?;
    let told = counts(&stage, "bob")?;
    ensure!(told.len() == 1 && told[0].contains("\"faves\":3"), "{told:?}");
    // Taking it back finds all of it.
    ensure!(stage.says(&["undo", "--user", "bob", "--since", "1h", "--yes"])?.0);
    eventually("nothing of bob", || {
        let counts = counts(&stage, "bob")?;
        ensure!(counts.is_empty(), "{counts:?}");
        anyhow::Ok(())
    })
}
