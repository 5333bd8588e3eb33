//! Since when a channel is known, when its streams were, and which of its faves are meant by a name, an item or a stretch of time.

use anyhow::{Context, Result};
use heat_engine::wit::Happening;
use heat_engine::{Chain, Engine, PastStream, Resolution, Store, UndoTarget};

use crate::stage::{CHANNEL, START, Stage, plain, sandbox};

const HOUR: u64 = 3_600_000;

fn known(stage: &Stage) -> Result<Option<u64>> {
    Ok(stage.engine.statistics().context("the engine counts")?.known_since(CHANNEL)?)
}

#[test]
fn a_channel_is_known_since_it_was_heard_first_whatever_is_still_kept() -> Result<()> {
    let chain = Chain { channel: CHANNEL.to_owned(), rules: Vec::new() };
    let engine = Engine::open(sandbox()?, Store::in_memory()?, vec![chain], START)?;
    let mut stage = Stage::over(engine);
    // A channel in which nobody speaks is heard all the same: silence is known.
    assert_eq!(known(&stage)?, Some(START));
    stage.wait(90 * 60_000 + 7_000)?;
    stage.chat("ann", "hello")?;
    assert_eq!(known(&stage)?, Some(START), "while the line is in memory alone");
    stage.engine.commit()?;
    for _ in 0..3 {
        stage.wait(2 * HOUR)?;
        stage.chat("bob", "hello")?;
        stage.engine.commit()?;
    }
    assert_eq!(known(&stage)?, Some(START), "once it is in the store");
    // Finer bins are gone.
    while !stage.engine.expire_series(|it| if it == Resolution::Hour { u64::MAX } else { HOUR })? {}
    assert_eq!(known(&stage)?, Some(START));
    Ok(())
}

fn streams(stage: &Stage, most: usize) -> Result<Vec<(u64, Option<u64>)>> {
    let found = stage.engine.snapshot()?.last_streams(CHANNEL, most)?.into_iter();
    Ok(found.map(|PastStream { from, to }| (from - START, to.map(|to| to - START))).collect())
}

#[test]
fn streams_are_found_in_the_log_the_newest_first() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    assert_eq!(streams(&stage, 9)?, []);
    for _ in 0..3 {
        stage.event(Happening::StreamStart)?;
        stage.chat("ann", "?fave")?;
        stage.engine.commit()?;
        stage.wait(HOUR)?;
        stage.event(Happening::StreamEnd)?;
        // Somebody says it once more, which is no event.
        stage.event(Happening::StreamEnd)?;
        stage.engine.commit()?;
        stage.wait(HOUR)?;
    }
    let past = [(4 * HOUR, Some(5 * HOUR)), (2 * HOUR, Some(3 * HOUR)), (0, Some(HOUR))];
    assert_eq!(streams(&stage, 9)?, past);
    assert_eq!(streams(&stage, 2)?, past[..2]);
    stage.event(Happening::StreamStart)?;
    stage.engine.commit()?;
    stage.wait(HOUR)?;
    assert_eq!(streams(&stage, 2)?, [(6 * HOUR, None), past[0]]);
    Ok(())
}

#[test]
fn faves_are_meant_by_people_by_item_and_by_time() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    for (user, text) in [
        ("ann", "?fave pie"),
        ("bob", "?fave pie"),
        ("cy", "?fave cake"),
        ("ann", "hello"),
        ("dee", "?fave pie"),
    ] {
        stage.chat(user, text)?;
        stage.wait(60_000)?;
    }
    stage.engine.commit()?;
    let snapshot = stage.engine.snapshot()?;
    let meant = |which: UndoTarget, from: u64, to: u64| -> Result<(usize, Vec<String>)> {
        let undo = snapshot.undo_within(CHANNEL, &which, from, to)?;
        Ok((undo.events.len(), undo.taken.into_iter().map(|it| it.person.login).collect()))
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let always = (0, u64::MAX);
    let people = UndoTarget::People(names(&["Ann", "cy"]));
    assert_eq!(meant(people.clone(), always.0, always.1)?, (3, names(&["ann", "cy"])));
    assert_eq!(meant(people, START, START + 120_000)?, (1, names(&["ann"])));
    let pie = UndoTarget::Item("pie".to_owned());
    assert_eq!(meant(pie.clone(), always.0, always.1)?, (3, names(&["ann", "bob", "dee"])));
    assert_eq!(meant(pie, START + 60_000, START + 240_000)?, (1, names(&["bob"])));
    assert_eq!(meant(UndoTarget::Item(String::new()), always.0, always.1)?, (0, names(&[])));
    // All faves are no lines of chat that nobody faved with.
    let all = names(&["ann", "bob", "cy", "dee"]);
    assert_eq!(meant(UndoTarget::Faves, always.0, always.1)?, (4, all));
    assert_eq!(meant(UndoTarget::Faves, START + 60_000, START + 180_000)?.0, 2);
    Ok(())
}
