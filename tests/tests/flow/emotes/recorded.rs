//! Recorded chat with the set that its channel had, against a count by words that knows nothing of heatd.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use heat_tests::emotes::Answer;
use heat_tests::patience::eventually;
use heat_tests::recordings::{Judge, Recordings};
use heat_tests::twitch::Pace;
use serde_json::Value;

use super::{SELDOM, Stage, wait_for_set};

#[test]
fn recorded_chat_has_the_emotes_of_its_channel() -> Result<()> {
    let Some(recordings) = Recordings::find("the emotes of recorded chat") else { return Ok(()) };
    let set = std::fs::read_to_string(recordings.file("emotes", "seventvemotes-nymn.json")?)?;
    let lines = recordings.irc("chatterino_recent_nymn.irc")?;
    let mut stage = Stage::new(SELDOM)?;
    let answer: Value = serde_json::from_str(&set)?;
    let id = answer["id"].as_str().context("no id")?;
    stage.providers.answer(&format!("/7tv/users/twitch/{id}"), Answer::Text(set));
    stage.town.chat.set_room_id("nymn", id);
    stage.configuration = stage.configuration.replace("\"seaside\"", "\"nymn\"");
    let mut heatd = stage.town.heatd(&stage.configuration)?;
    stage.town.chat.wait_joined("nymn")?;
    wait_for_set(&heatd, 0, "7tv", "nymn")?;
    stage.town.chat.replay(&lines, Pace::AsFastAsPossible);

    let judge = Judge::of(&lines);
    let emotes = answer["emote_set"]["emotes"].as_array().context("no emotes")?;
    let expected: BTreeMap<String, u64> = emotes
        .iter()
        .filter_map(|emote| emote["name"].as_str())
        .map(|name| (name.to_owned(), (judge.word(name).uses - judge.emote(name).uses) as u64))
        .filter(|(_, uses)| *uses > 0)
        .collect();
    ensure!(expected.len() > 20, "the recording has too few emotes to say anything: {expected:?}");
    eventually("the counts of the judge", || {
        let counted = stage.counted_in("nymn").map_err(|error| format!("{error:#}"))?;
        let ours = counted
            .into_iter()
            .filter_map(|(name, (_, uses))| Some((name.strip_prefix("7tv:")?.to_owned(), uses)));
        let ours: BTreeMap<String, u64> = ours.collect();
        let differ = |name: &&String| ours.get(*name) != expected.get(*name);
        let wrong: Vec<_> = ours.keys().chain(expected.keys()).filter(differ).collect();
        let told = || {
            format!(
                "{wrong:?}: {:?}",
                wrong.iter().map(|it| (ours.get(*it), expected.get(*it))).collect::<Vec<_>>()
            )
        };
        if wrong.is_empty() { Ok(()) } else { Err(told()) }
    })?;
    ensure!(heatd.terminate()?.success());
    Ok(())
}
