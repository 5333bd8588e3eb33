//! Emotes that nobody uses are told from the sets, and where a set is not known that is said.

use anyhow::{Context, Result, ensure};
use heat_tests::emotes::Answer as Provided;
use heat_tests::twitch::room_id;
use serde_json::{Value, json};

use super::ask::Call;
use super::stage::{Stage, now};

const UNUSED: &str = "channels/seaside/emotes?used=false";

/// Name, provider, and whose set.
fn names(answer: &Value) -> Result<Vec<(String, String, String)>> {
    let emotes = answer["emotes"].as_array().with_context(|| answer.to_string())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(emotes
        .iter()
        .map(|it| (text(&it["name"]), text(&it["provider"]), text(&it["of"])))
        .collect())
}

fn expected(emotes: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let owned = |(name, provider, of): &(&str, &str, &str)| {
        ((*name).to_owned(), (*provider).to_owned(), (*of).to_owned())
    };
    emotes.iter().map(owned).collect()
}

#[test]
fn unused_emotes_are_those_of_the_sets_that_nobody_used_in_the_range() -> Result<()> {
    let stage = Stage::new()?;
    stage.wait_for_sets()?;
    let all = [
        ("<i>idle</i>", "ffz", "channel"),
        ("own", "ffz", "channel"),
        ("a/b%\"'", "bttv", "channel"),
        // `own` of 7TV is FrankerFaceZ's here, so nobody can use it.
        ("Idle", "7tv", "channel"),
        ("ffzAll", "ffz", "everybody"),
        ("(ditto)", "bttv", "everybody"),
        ("EZ", "7tv", "everybody"),
        ("idleToo", "7tv", "everybody"),
    ];
    let told = stage.get(UNUSED)?.json()?;
    assert_eq!(names(&told)?, expected(&all));
    let sets = told["sets"].as_array().context("no sets")?;
    ensure!(sets.len() == 6 && sets.iter().all(|it| it["state"] == "known"), "{told}");
    ensure!(
        sets[0] == json!({ "provider": "ffz", "of": "channel", "state": "known", "emotes": 2 })
    );
    let other = stage.get("channels/harbour/emotes?used=false")?.json()?;
    assert_eq!(names(&other)?, expected(&all[4..]));

    stage.talk()?;
    let left: Vec<_> = all.into_iter().filter(|(name, ..)| !["own", "EZ"].contains(name)).collect();
    assert_eq!(names(&stage.get(UNUSED)?.json()?)?, expected(&left));
    // Nobody had used them an hour ago.
    let before = now() - 3_600_000;
    let range = format!("{UNUSED}&from={}&to={before}", before - 60_000);
    assert_eq!(names(&stage.get(&range)?.json()?)?, expected(&all));
    let found = stage.get(&format!("{UNUSED}&search=IDLE&count=2"))?.json()?;
    assert_eq!(names(&found)?, expected(&[left[0], left[2]]));
    let table = stage.get(&format!("{UNUSED}&format=csv&search=%22"))?;
    let row = "bttv,\"a/b%\"\"'\",b4,0,";
    assert_eq!(table.text()?, format!("provider,name,id,uses,last_ms\r\n{row}\r\n"));

    for (query, name) in [
        ("&order=least", "order"),
        ("&used=true", "used"),
        // Seconds are kept for a day.
        ("&interval=1s&from=1000&to=2000", "interval"),
    ] {
        let why = stage.get(&format!("{UNUSED}{query}"))?.problem(400)?;
        ensure!(why.contains(&format!("the parameter `{name}`")), "{query}: {why}");
    }
    let why = stage.get("channels/seaside/emotes?used=never")?.problem(400)?;
    ensure!(why.contains("`used`") && why.contains("true and false"), "{why}");
    Ok(())
}

#[test]
fn what_no_provider_has_told_is_not_told_as_if_there_were_none() -> Result<()> {
    let room = room_id("seaside");
    let silence = |path: String| {
        move |it: &heat_tests::emotes::Providers| it.answer(&path, Provided::Nothing)
    };
    let stage = Stage::with(silence(format!("/7tv/users/twitch/{room}")), "")?;
    let known = |state: &str| {
        let told = stage.get(UNUSED)?;
        Ok::<_, anyhow::Error>(told.status == 200 && told.text()?.matches(state).count() == 5)
    };
    heat_tests::patience::eventually("five sets", || known("\"known\"").unwrap_or(false))?;
    let told = stage.get(UNUSED)?.json()?;
    let seventv = json!({ "provider": "7tv", "of": "channel", "state": "unknown", "emotes": null });
    ensure!(told["sets"].as_array().is_some_and(|it| it.contains(&seventv)), "{told}");
    ensure!(!told.to_string().contains("Idle\"") && told.to_string().contains("idleToo"), "{told}");

    // Nor is it said that there is no such emote.
    stage.get("channels/seaside/series?of=emote:7tv:Idle")?.json()?;
    stage.get("channels/seaside/series?of=emote:bttv:Idle")?.problem(404)?;

    let off = Stage::with(|_| {}, "[emotes]\nproviders = []\n")?;
    let why = off.get(UNUSED)?.problem(409)?;
    ensure!(why.contains("`used`") && why.contains("[emotes] providers"), "{why}");
    let used = off.ask(&Call::get("channels/seaside/emotes"))?.json()?;
    ensure!(used["emotes"] == json!([]), "{used}");
    Ok(())
}
