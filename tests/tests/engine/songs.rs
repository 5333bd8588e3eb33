//! The two rules of the original protocol together: a command, its title, the count, the answer.

use anyhow::{Result, ensure};
use heat_engine::wit::{Effect, Happening};
use heat_engine::{Given, Store};

use crate::stage::{Part, Stage, chat_line, lines, patient, plain};

fn texts(texts: &[&str]) -> Given {
    Given::List(texts.iter().map(|text| Given::Text((*text).to_owned())).collect())
}

/// As in the original: a bot, and two accounts that do not count.
fn with_bot() -> Vec<Part> {
    let excluded = texts(&["duke_ferdinand", "seasidefm"]);
    vec![("song-faves", "song-faves", vec![("excluded".to_owned(), excluded)]), plain("song-heat")]
}

/// The answers to a message on `new-heat`, as they are published.
fn request(stage: &mut Stage, title: &[u8]) -> Result<Vec<String>> {
    let decision = stage.mqtt("new-heat", title, false)?;
    let published = |effect: &Effect| match effect {
        Effect::Publish(message) => Some(String::from_utf8_lossy(&message.payload).into_owned()),
        _ => None,
    };
    let effects = decision.answers.iter().filter_map(|answer| answer.outcome.as_ref().ok());
    Ok(effects.flatten().filter_map(published).collect())
}

#[test]
fn a_request_is_answered_once_and_with_the_fave_that_it_brought() -> Result<()> {
    let mut stage = Stage::new(with_bot())?;
    for (login, count) in [("ann", 1), ("seasidefm", 1), ("bob", 2), ("ann", 2)] {
        stage.chat(login, "?fave")?;
        assert_eq!(
            request(&mut stage, b"Plastic Love \n")?,
            [format!("{{\"name\": \"Plastic Love\", \"faveCount\": {count}}}")]
        );
    }
    // The song changes.
    assert_eq!(request(&mut stage, b"Pie")?, [r#"{"name": "Pie", "faveCount": 0}"#]);
    Ok(())
}

#[test]
fn a_fave_whose_title_came_first_is_told_when_it_is_counted() -> Result<()> {
    let mut stage = Stage::new(with_bot())?;
    assert_eq!(request(&mut stage, b"Pie")?, [r#"{"name": "Pie", "faveCount": 0}"#]);
    let decision = stage.chat("ann", "?fave")?;
    assert_eq!(
        lines(&decision.answers, "song-heat"),
        [
            r#"publish update-heat "{\"name\": \"Pie\", \"faveCount\": 1}" at most once"#,
            r#"show song-heat "{\"name\": \"Pie\", \"faveCount\": 1}""#,
        ]
    );
    Ok(())
}

#[test]
fn what_waits_outlives_a_restart_and_is_forgotten_in_time() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let mut later = 0;
    let mut open = || -> Result<Stage> {
        let mut stage = Stage::with(with_bot(), patient(), Store::open(&file)?)?;
        // Another time, or the events would have the ids of those before the restart.
        later += 10;
        stage.wait(later)?;
        Ok(stage)
    };
    let mut stage = open()?;
    stage.chat("ann", "?fave")?;
    stage.engine.commit()?;
    drop(stage);
    let mut stage = open()?;
    assert_eq!(request(&mut stage, b"Pie")?, [r#"{"name": "Pie", "faveCount": 1}"#]);
    stage.chat("bob", "?fave")?;
    stage.engine.commit()?;
    drop(stage);
    let mut stage = open()?;
    ensure!(!stage.wait(60_000)?.is_empty(), "the timer did not outlive the restart");
    assert_eq!(request(&mut stage, b"Pie")?, [r#"{"name": "Pie", "faveCount": 1}"#]);
    Ok(())
}

#[test]
fn hundreds_of_commands_without_a_title_are_forgotten_and_the_next_one_counts() -> Result<()> {
    let mut stage = Stage::new(with_bot())?;
    for number in 0..300 {
        stage.chat(&format!("viewer{number}"), "?fave")?;
    }
    let timers = stage.wait(60_000)?;
    for decision in &timers {
        ensure!(decision.answers.iter().all(|answer| answer.outcome.is_ok()), "{decision:?}");
    }
    ensure!((5..10).contains(&timers.len()), "{} timers", timers.len());
    stage.chat("ann", "?fave")?;
    assert_eq!(request(&mut stage, b"Pie")?, [r#"{"name": "Pie", "faveCount": 1}"#]);
    stage.engine.commit()?;
    assert_eq!(stage.faves()?, 1);
    Ok(())
}

#[test]
fn odd_titles_count_nothing_and_are_answered_if_they_are_text() -> Result<()> {
    let mut stage = Stage::new(with_bot())?;
    let long = "x".repeat(501);
    let (longer, longest) = ("\u{7f}".repeat(8 << 10), "x".repeat(60_000));
    let answer = |name: &str| vec![format!("{{\"name\": \"{name}\", \"faveCount\": 0}}")];
    for (title, expected) in [
        (b" \t\r\n\x1f".as_slice(), answer("")),
        (b"", answer("")),
        (long.as_bytes(), answer(&long)),
        (longer.as_bytes(), answer(&"\\u007f".repeat(8 << 10))),
        (longest.as_bytes(), Vec::new()),
        (b"\xFF\xFE", Vec::new()),
        (b"nul \x00 and \x7F", answer("nul \\u0000 and \\u007f")),
    ] {
        assert_eq!(request(&mut stage, title)?, expected);
        stage.wait(60_000)?;
    }
    for title in [" ".as_bytes(), &[0xFF, 0xFE], long.as_bytes()] {
        stage.chat("ann", "?fave")?;
        request(&mut stage, title)?;
    }
    stage.engine.commit()?;
    assert_eq!(stage.faves()?, 0);
    // The longest title that counts, and the output that has no room for it.
    let title = "ー".repeat(500);
    stage.chat("ann", "?fave")?;
    ensure!(request(&mut stage, title.as_bytes())?[0].ends_with("\"faveCount\": 1}"));
    stage.engine.commit()?;
    let shown = stage.output("song-heat").unwrap_or_default();
    ensure!(shown.chars().count() == 500 && shown.ends_with("ー…\", \"faveCount\": 1}"), "{shown}");
    let title = "\"".repeat(500);
    stage.chat("ann", "?fave")?;
    request(&mut stage, title.as_bytes())?;
    stage.engine.commit()?;
    let shown: serde_json::Value =
        serde_json::from_str(&stage.output("song-heat").unwrap_or_default())?;
    assert_eq!(shown["faveCount"], 1);
    Ok(())
}

#[test]
fn two_spellings_of_one_letter_are_two_songs() -> Result<()> {
    let mut stage = Stage::new(with_bot())?;
    stage.chat("ann", "?fave")?;
    let composed = request(&mut stage, "Caf\u{e9}".as_bytes())?;
    assert_eq!(composed, [r#"{"name": "Caf\u00e9", "faveCount": 1}"#]);
    let decomposed = request(&mut stage, "Cafe\u{301}".as_bytes())?;
    assert_eq!(decomposed, [r#"{"name": "Cafe\u0301", "faveCount": 0}"#]);
    Ok(())
}

#[test]
fn a_song_that_plays_is_known_after_a_restart_and_faves_are_told_without_requests() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let text = |text: &str| Given::Text(text.to_owned());
    let open = || -> Result<Stage> {
        let faves = vec![
            ("title_topic".to_owned(), text("")),
            ("song_topic".to_owned(), text("radio/now")),
        ];
        let heat = vec![("title_topic".to_owned(), text("radio/now"))];
        let parts = vec![("song-faves", "song-faves", faves), ("song-heat", "song-heat", heat)];
        Stage::with(parts, patient(), Store::open(&file)?)
    };
    let mut stage = open()?;
    stage.mqtt("radio/now", b"Pie\n", true)?;
    stage.engine.commit()?;
    drop(stage);
    let mut stage = open()?;
    stage.wait(10)?;
    let decision = stage.event(Happening::Chat(chat_line("ann", "?fave")))?;
    assert_eq!(decision.faves[0].item, "Pie");
    assert_eq!(lines(&decision.answers, "song-heat").len(), 2);
    // Something that is no title is no reason to fave the song before.
    stage.mqtt("radio/now", b"\xFF", false)?;
    ensure!(stage.chat("ann", "?fave")?.faves.is_empty());
    Ok(())
}

#[test]
fn settings_that_contradict_each_other_are_refused_with_what_to_clear() -> Result<()> {
    let text = |text: &str| Given::Text(text.to_owned());
    for (rule, settings, expected) in [
        ("song-faves", vec![("song_topic", text("radio/now"))], "clear title_topic = \"\""),
        ("song-faves", vec![("title_topic", text(""))], "neither `title_topic` nor `song_topic`"),
        ("song-faves", vec![("command", text(""))], "neither `command` nor `aliases`"),
        ("song-heat", vec![("answer_topic", text("new-heat"))], "another than `title_topic`"),
        ("song-heat", vec![("answer_topic", text(""))], "must be one topic"),
        ("song-heat", vec![("output", text("Heat"))], "lower-case letters"),
    ] {
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        match Stage::new(vec![(rule, rule, settings)]) {
            Ok(_) => anyhow::bail!("{rule} took what contradicts: {expected}"),
            Err(error) => ensure!(format!("{error:#}").contains(expected), "{error:#}"),
        }
    }
    Ok(())
}
