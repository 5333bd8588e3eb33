//! One fact is one, whoever tells it: chat or EventSub, or both, or one after the other in the middle of a stream.

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::twitch::Line;

use super::payloads::{deleted, line, raid, subscribe};
use super::stage::{Plan, Stage};

fn stage() -> Result<Stage> {
    let features = "\"follows\", \"subscriptions\", \"cheers\", \"chat\"";
    let stage = Stage::new(&Plan { features, ..Plan::default() })?;
    stage.api.wait_for_subscription("channel.chat.message_delete")?;
    eventually("EventSub", || match stage.account() {
        Ok(account) if account["eventsub"]["connected"] == true => Ok(()),
        other => Err(format!("{other:?}")),
    })?;
    Ok(stage)
}

/// What became of the last notification.
fn last_became(stage: &Stage) -> Result<String> {
    let rows = stage.raw(&["eventsub"])?;
    let told = rows
        .iter()
        .rev()
        .find(|row| row["raw"].as_str().is_some_and(|raw| raw.contains("\"notification\"")));
    Ok(told.map_or(String::new(), |row| row["became"].to_string()))
}

fn wait_for_became(stage: &Stage, words: &str) -> Result<()> {
    eventually(format!("{words:?} of the last notification"), || match last_became(stage) {
        Ok(became) if became.contains(words) => Ok(()),
        other => Err(format!("{other:?}")),
    })
}

fn subscription_in_chat(stage: &Stage, id: &str) {
    let line = Line::subscription("seaside", &format!("f{id}"), 1).tag("user-id", id);
    stage.town.chat.send("seaside", &line);
}

/// A line with this id and of this person.
fn chat_line(id: &str, person: &str, text: &str) -> Line {
    Line::chat("seaside", &format!("f{person}"), text).tag("user-id", person).id(id)
}

#[test]
fn the_same_subscription_by_two_ways_is_one() -> Result<()> {
    let stage = stage()?;
    subscription_in_chat(&stage, "7");
    stage.wait_for_heat(10)?;
    stage.api.notify("channel.subscribe", &subscribe("7"));
    wait_for_became(&stage, "chat has told it")?;
    // The other way round.
    stage.api.notify("channel.subscribe", &subscribe("8"));
    wait_for_became(&stage, "kept in case that chat is lost")?;
    subscription_in_chat(&stage, "8");
    stage.wait_for_heat(20)?;
    stage.town.chat.say("seaside", "ann", "?fave");
    stage.wait_for_heat(21)
}

#[test]
fn while_chat_is_away_eventsub_tells_its_facts_and_its_lines() -> Result<()> {
    let stage = stage()?;
    stage.town.chat.refuse_connections();
    stage.town.chat.close_abruptly();
    eventually("chat to be lost", || {
        stage.town.figure("heatd_channels_joined").is_ok_and(|it| it == 0)
    })?;
    stage.api.notify("channel.raid", &raid("9", 5));
    stage.wait_for_heat(100_000)?;
    stage.api.notify("channel.chat.message", &line("m1", "7", "?fave pie"));
    stage.wait_for_heat(100_001)?;
    stage.town.chat.accept_connections()?;
    eventually("chat to be back", || {
        stage.town.figure("heatd_channels_joined").is_ok_and(|it| it == 1)
    })?;
    // Both tell the next line; it has one id.
    stage.api.notify("channel.chat.message", &line("m2", "7", "?fave pie"));
    stage.town.chat.send("seaside", &chat_line("m2", "7", "?fave pie"));
    stage.wait_for_heat(100_002)?;
    stage.town.chat.send("seaside", &chat_line("m3", "7", "?fave pie"));
    stage.wait_for_heat(100_003)
}

#[test]
fn lines_that_moderators_remove_are_told_to_those_who_watch() -> Result<()> {
    let stage = stage()?;
    let mut watch = heat_tests::processes::Program::start(stage.heat(&["watch", "--json"])?)?;
    watch.wait_for_line(|line| line.contains("\"hello\""))?;
    let said = stage.town.chat.say("seaside", "ann", "something bad");
    watch.wait_for_line(|line| line.contains("something bad") && line.contains(&said.id))?;
    stage.api.notify("channel.chat.message_delete", &deleted(&said.id, "ann"));
    watch.wait_for_line(|line| line.contains("\"removed\"") && line.contains(&said.id))?;
    stage.town.chat.send("seaside", &Line::clear_message("seaside", "ann", "m9", "words"));
    watch.wait_for_line(|line| line.contains("\"removed\"") && line.contains("m9"))?;
    watch.terminate()?;
    ensure!(stage.output("heat")?.is_none_or(|heat| heat == "0"));
    Ok(())
}
