//! How often an effect happens when its event is told again, before and after heatd was killed: `say` at most once, `publish` kept once
//! until it was acknowledged, `clip` kept once.

use anyhow::{Result, ensure};
use heat_engine::wit::{Event, Happening};
use heat_engine::{Limits, Store};

use crate::stage::{CHANNEL, START, Stage, chat_line, lines, patient, plain};

fn told(id: &str, at: u64, login: &str, text: &str) -> Event {
    let what = Happening::Chat(chat_line(login, text));
    Event { id: id.to_owned(), channel: CHANNEL.to_owned(), at, what }
}

#[test]
fn what_a_rule_says_and_publishes_is_decided_once_however_often_the_event_is_told() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let open =
        || Stage::with(vec![plain("fave"), plain("publisher")], patient(), Store::open(&file)?);
    let event = told("one", START, "ann", "?fave pie");
    // Killed before the commit: nothing was said, and the event has never been.
    let mut stage = open()?;
    ensure!(!stage.engine.handle(START, event.clone())?.duplicate);
    drop(stage);
    let mut stage = open()?;
    ensure!(!stage.engine.handle(START, event.clone())?.duplicate);
    ensure!(stage.engine.handle(START, event.clone())?.duplicate);
    let committed = stage.engine.commit()?;
    assert_eq!((committed.says.len(), committed.messages.len()), (1, 1));
    // Killed after the commit, told or not: it is not said again. The message waits in the outbox, once.
    drop(stage);
    let mut stage = open()?;
    ensure!(stage.engine.handle(START, event)?.duplicate);
    let committed = stage.engine.commit()?;
    ensure!(committed.says.is_empty() && committed.messages.is_empty());
    assert_eq!(stage.engine.snapshot()?.outbox()?.len(), 1);
    Ok(())
}

#[test]
fn a_clip_is_wanted_once_however_often_the_event_is_told() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    // As many may wait: so the limit tells how many do.
    let limits = || Limits { clips: 2, ..patient() };
    let open = || Stage::with(vec![plain("hostile")], limits(), Store::open(&file)?);
    let event = told("one", START, "ann", "!attack clip the moment");
    for round in 0..3 {
        let mut stage = open()?;
        assert_eq!(stage.engine.handle(START, event.clone())?.duplicate, round > 0);
        ensure!(stage.engine.handle(START, event.clone())?.duplicate);
        stage.engine.commit()?;
    }
    let mut stage = open()?;
    let second =
        stage.engine.handle(START, told("two", START, "ann", "!attack clip the moment"))?;
    ensure!(!lines(&second.answers, "hostile").concat().contains("fails"), "{second:?}");
    let third =
        stage.engine.handle(START, told("three", START, "ann", "!attack clip the moment"))?;
    let answer = lines(&third.answers, "hostile").concat();
    ensure!(answer.contains("2 clips wait to be made already"), "{answer}");
    Ok(())
}

#[test]
fn an_id_is_known_after_a_restart_however_long_that_took() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let event = told("one", START, "ann", "?fave");
    let mut stage = Stage::with(vec![plain("fave")], Limits::default(), Store::open(&file)?)?;
    stage.engine.handle(START, event.clone())?;
    stage.engine.commit()?;
    drop(stage);
    // Half a day later the broker repeats what it has no acknowledgement of.
    let later = START + 43_200_000;
    let mut stage = Stage::at(later, vec![plain("fave")], Limits::default(), Store::open(&file)?)?;
    ensure!(stage.engine.handle(later + 1_000, event)?.duplicate);
    stage.engine.commit()?;
    assert_eq!(stage.faves()?, 1);
    Ok(())
}
