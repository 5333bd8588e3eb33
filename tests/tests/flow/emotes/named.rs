//! 7TV names a channel's set in one answer and holds it in another, from a cache that is behind its events.

use anyhow::{Result, ensure};
use heat_tests::emotes::{Answer, seventv_global, seventv_user, seventv_user_of_set};

use super::{SELDOM, Stage, wait_for_set, wait_for_sets};

const SET: &str = "emote_set.update";

/// Lets 7TV answer for the channel as it does since August 2026.
fn name_the_set(stage: &Stage, emotes: &[(&str, &str)]) {
    let user = seventv_user_of_set(&stage.room, "set1", "user1");
    stage.providers.answer(&stage.seventv(), Answer::Json(user));
    let set = Answer::Json(seventv_global("set1", emotes));
    stage.providers.answer("/7tv/emote-sets/set1", set);
}

#[test]
fn a_set_that_is_only_named_is_asked_for_by_its_id_and_its_events_are_heard() -> Result<()> {
    let stage = Stage::with_emotes(SELDOM)?;
    name_the_set(&stage, &[("catJAM", "c1")]);
    let mut heatd = stage.start()?;
    wait_for_sets(&heatd)?;
    stage.say("catJAM");
    stage.wait_for(&[("7tv:catJAM", "c1", 1)])?;
    stage.providers.wait_for_subscription(1, SET, "set1")?;
    let seen = heatd.lines().len();
    ensure!(stage.providers.change_set("set1", &[("new", "n1")], &[]) == 1);
    wait_for_set(&heatd, seen, "7tv", "seaside")?;
    stage.say("new");
    stage.wait_for(&[("7tv:catJAM", "c1", 1), ("7tv:new", "n1", 1)])?;
    ensure!(heatd.terminate()?.success());
    Ok(())
}

#[test]
fn a_set_that_is_as_it_was_is_not_sent_again() -> Result<()> {
    let stage = Stage::with_emotes("1s")?;
    name_the_set(&stage, &[("catJAM", "c1")]);
    let mut heatd = stage.start()?;
    wait_for_sets(&heatd)?;
    let asked = stage.providers.wait_for_questions("/7tv/emote-sets/set1", 2)?;
    ensure!(asked.last().is_some_and(|asked| asked.status == 304), "{asked:?}");
    ensure!(heatd.terminate()?.success());
    Ok(())
}

#[test]
fn a_known_set_is_not_given_up_for_answers_that_lack_it() -> Result<()> {
    let stage = Stage::with_emotes("1s")?;
    let mut heatd = stage.start()?;
    wait_for_sets(&heatd)?;
    let known = seventv_user(&stage.room, "set1", "user1", &[]);
    for (field, value) in [("emote_set", None), ("emote_set", Some(7.into()))] {
        let mut odd = known.clone();
        let fields = odd.as_object_mut().expect("an object");
        fields.remove("emote_set_id");
        match value {
            None => drop(fields.remove(field)),
            Some(value) => drop(fields.insert(field.to_owned(), value)),
        }
        stage.providers.answer(&stage.seventv(), Answer::Json(odd));
        stage.providers.wait_for_questions(&stage.seventv(), 2)?;
    }
    let warned = |line: &String| line.contains("not understood") && line.contains("7tv");
    ensure!(heatd.lines().iter().any(warned), "nobody was told");
    stage.say(".*");
    stage.wait_for(&[("7tv:.*", "s6", 1)])?;
    ensure!(heatd.terminate()?.success());
    Ok(())
}

#[test]
fn what_was_pushed_holds_against_an_answer_that_is_older() -> Result<()> {
    let stage = Stage::with_emotes("1s")?;
    name_the_set(&stage, &[("old", "o1"), ("kept", "k1")]);
    let mut heatd = stage.start()?;
    wait_for_sets(&heatd)?;
    stage.providers.wait_for_subscription(1, SET, "set1")?;
    ensure!(stage.providers.change_set("set1", &[("new", "n1")], &[("old", "o1")]) == 1);
    // The answers go on as they were.
    stage.providers.wait_for_questions("/7tv/emote-sets/set1", 3)?;
    stage.say("new old kept");
    stage.wait_for(&[("7tv:kept", "k1", 1), ("7tv:new", "n1", 1)])?;
    ensure!(heatd.terminate()?.success());
    Ok(())
}
