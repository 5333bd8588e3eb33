//! `heat history`, `heat person`, and the last lines of a watch, against a heatd that has heard an evening.

use anyhow::{Result, ensure};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;
use heat_tests::twitch::Line;
use serde_json::Value;

use super::{answer, heat, run, start};
use crate::town::Town;

/// A channel in which ann wrote, under another name later, and cat came with a raid.
fn evening() -> Result<(Town, Program)> {
    let town = Town::new()?;
    let heatd = start(&town, &["seaside"])?;
    town.chat.send(
        "seaside",
        &Line::chat("seaside", "ann", "?fave pie").name("Ann").tag("user-id", "42"),
    );
    town.chat.send("seaside", &Line::chat("seaside", "ben", "=1+1"));
    town.chat.send("seaside", &Line::raid("seaside", "cat", 120));
    town.chat.send(
        "seaside",
        &Line::chat("seaside", "anna", "PIE again").name("Anna").tag("user-id", "42"),
    );
    town.wait_for_figure("heatd_chat_lines_total", 3)?;
    town.wait_for_figure("heatd_faves_total", 1)?;
    Ok((town, heatd))
}

/// What stands behind the channel in each line.
fn told(page: &str) -> Vec<&str> {
    page.lines().filter_map(|line| line.split_once("#seaside ")).map(|(_, rest)| rest).collect()
}

#[test]
fn what_was_said_is_found_by_words_person_and_kind() -> Result<()> {
    let (town, _heatd) = evening()?;
    let history = |arguments: &[&str]| answer(&town, &[&["history"], arguments].concat());
    assert_eq!(
        told(&history(&["pie"])?),
        ["Anna: PIE again", "* Ann faves \"pie\" 1", "Ann: ?fave pie"]
    );
    for named in ["ann", "Anna", "42"] {
        let found = history(&["--user", named, "--kind", "chat", "--oldest-first"])?;
        assert_eq!(told(&found), ["Ann: ?fave pie", "Anna: PIE again"], "{named}");
    }
    assert_eq!(told(&history(&["--kind", "raid"])?), ["* cat raids with 120 viewers"]);
    assert_eq!(told(&history(&["--expression", "^=", "--count", "0"])?), ["ben: =1+1"]);
    assert_eq!(told(&history(&["--count", "1"])?), ["Anna: PIE again"]);
    let csv = history(&["--csv", "--kind", "chat", "--oldest-first"])?;
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(lines[0], "at,channel,kind,login,name,text");
    ensure!(lines[2].ends_with("Z,seaside,chat,ben,ben,'=1+1"), "{csv}");
    let json = history(&["--json", "--user", "ann", "--since", "1h"])?;
    let first: Value = serde_json::from_str(json.lines().next().unwrap_or_default())?;
    assert_eq!((&first["person"]["login"], &first["text"]), (&"anna".into(), &"PIE again".into()));

    let (code, found, words) = run(heat(&town, &["history", "nothing of this"])?)?;
    assert_eq!((code, found.as_str(), words.as_str()), (Some(0), "", "nothing was found\n"));
    for (arguments, words) in [
        (&["--user", "zoe"][..], "nobody is known as \"zoe\" in #seaside"),
        (&["--expression", "a("], "unclosed group"),
        (&["--kind", "rain"], "there are chat, "),
        (&["--since", "1h", "--until", "2h"], "the range ends before it begins"),
    ] {
        let (code, _, said) = run(heat(&town, &[&["history"], arguments].concat())?)?;
        ensure!(code == Some(1) && said.contains(words), "{arguments:?}: {code:?} {said}");
    }
    Ok(())
}

#[test]
fn a_channel_without_history_is_searched_by_nobody() -> Result<()> {
    let town = Town::new()?;
    let channels = "[twitch]\nwithout_history = [\"Harbour\"]\n";
    let configuration =
        super::configuration(&town, &["seaside", "harbour"])?.replacen("[twitch]\n", channels, 1);
    let _heatd = town.heatd(&configuration)?;
    ["seaside", "harbour"].iter().try_for_each(|it| town.chat.wait_joined(it).map(drop))?;
    town.chat.say("seaside", "ann", "hello by the sea");
    town.chat.say("harbour", "ann", "hello in the harbour");
    town.wait_for_figure("heatd_chat_lines_total", 2)?;
    assert_eq!(told(&answer(&town, &["history", "hello"])?), ["ann: hello by the sea"]);
    for command in [&["history", "hello"][..], &["person", "ann"]] {
        let (code, _, words) = run(heat(&town, &[command, &["--channel", "harbour"]].concat())?)?;
        ensure!(code == Some(1) && words.contains("#harbour has no history"), "{words}");
    }
    let watch = Program::start(heat(&town, &["watch", "--json", "--last", "9"])?)?;
    watch.wait_for_line(|line| line.contains("hello by the sea"))?;
    ensure!(!watch.lines().iter().any(|line| line.contains("in the harbour")));
    Ok(())
}

#[test]
fn a_person_has_names_visits_and_a_first_line_until_they_are_forgotten() -> Result<()> {
    let (town, _heatd) = evening()?;
    let page = answer(&town, &["person", "ann"])?;
    for words in [
        "Anna in #seaside (42)",
        "  ann (Ann): ",
        "  anna (Anna): ",
        "2 chat",
        "seen on one day",
        "1 faves that count",
        ": ?fave pie",
    ] {
        ensure!(page.contains(words), "{words:?} is not in {page}");
    }
    answer(&town, &["forget", "anna", "--yes"])?;
    for command in [&["person", "ann"][..], &["history", "--user", "anna"]] {
        let (code, _, words) = run(heat(&town, command)?)?;
        ensure!(code == Some(1) && words.contains("nobody is known as"), "{command:?}: {words}");
    }
    let left = answer(&town, &["history", "--count", "0"])?;
    ensure!(!left.to_lowercase().contains("ann") && left.contains("=1+1"), "{left}");
    Ok(())
}

fn is_told_as_removed(town: &Town) -> Result<()> {
    let late = Program::start(heat(town, &["watch", "--json", "--last", "5"])?)?;
    let line = late.wait_for_line(|line| line.contains("bad words"))?;
    ensure!(line.contains("\"removed\":true"), "{line}");
    Ok(())
}

#[test]
fn who_comes_late_sees_the_last_lines_once_and_those_that_were_removed_as_such() -> Result<()> {
    let (town, _heatd) = evening()?;
    town.chat.send("seaside", &Line::chat("seaside", "troll", "bad words").id("m-bad"));
    town.chat.send("seaside", &Line::clear_message("seaside", "troll", "m-bad", "bad words"));
    town.wait_for_figure("heatd_chat_lines_total", 4)?;
    let watch = Program::start(heat(&town, &["watch", "--json", "--last", "3"])?)?;
    watch.wait_for_line(|line| line.contains("bad words"))?;
    town.chat.say("seaside", "ben", "the end");
    watch.wait_for_line(|line| line.contains("the end"))?;
    let lines = watch.lines();
    let of_kind = |kind: &str| -> Vec<Value> {
        let read = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        read.filter(|it| it["kind"] == kind).collect()
    };
    assert_eq!(of_kind("past")[0]["entries"], 3);
    let chat = of_kind("chat");
    let texts: Vec<&str> = chat.iter().filter_map(|it| it["text"].as_str()).collect();
    assert_eq!(texts, ["PIE again", "bad words", "the end"]);
    assert_eq!(of_kind("event")[0]["text"], "cat raids with 120 viewers");
    eventually("the removal to be told to who comes later", || is_told_as_removed(&town))
}
