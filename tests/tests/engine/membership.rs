//! Channels that are removed and added while the engine runs: they go on where they were, and nothing is shown of them meanwhile.

use anyhow::{Context, Result, ensure};
use heat_engine::wit::{Event, Happening};
use heat_engine::{
    Action, Chain, ChangeRequest, Changes, Engine, Library, Rule, Run, Seed, Store, members,
};

use crate::stage::{CHANNEL, Part, START, Stage, loaded, patient, plain, sandbox};

const HOUR: u64 = 3_600_000;

fn order(action: Action) -> ChangeRequest {
    ChangeRequest::new(action, "owner", "")
}

fn chain(channel: &str, parts: Vec<Part>) -> Result<Chain> {
    let limits = std::sync::Arc::new(patient());
    let rule = |(slot, name, settings): Part| {
        Ok((slot.to_owned(), Rule::new(&*sandbox()?, &limits, &loaded(name)?, &settings)?))
    };
    let rules = parts.into_iter().map(rule).collect::<Result<_>>()?;
    Ok(Chain { channel: channel.to_owned(), rules })
}

fn parts() -> Vec<Part> {
    vec![plain("fave"), plain("decay")]
}

/// The text of an output of a channel, as of the last commit.
fn shown(engine: &Engine, channel: &str, name: &str) -> Option<String> {
    engine.outputs().get(&(channel.into(), name.to_owned()))?.clone()
}

fn remove(stage: &mut Stage, channel: &str) -> Result<()> {
    stage.engine.fire(stage.now)?;
    stage.engine.commit()?;
    stage.engine.remove_channel(channel, true, &order(Action::RemoveChannel))?;
    stage.engine.commit()?;
    Ok(())
}

fn add(stage: &mut Stage, channel: &str) -> Result<()> {
    stage.engine.fire(stage.now)?;
    stage.engine.commit()?;
    let added = chain(channel, parts())?;
    stage.engine.add_channel(added, true, &order(Action::AddChannel))?;
    stage.engine.commit()?;
    Ok(())
}

#[test]
fn a_channel_that_was_away_goes_on_where_it_was() -> Result<()> {
    let mut stage = Stage::new(parts())?;
    for person in 0..6 {
        stage.chat(&format!("person{person}"), "?fave")?;
    }
    stage.engine.commit()?;
    let heat = stage.output("heat").context("no heat")?;
    remove(&mut stage, CHANNEL)?;
    for ((channel, name), text) in stage.engine.outputs() {
        ensure!(text.is_none(), "{channel} still shows {name}: {text:?}");
    }
    assert_eq!((stage.engine.next_wake(), stage.engine.slot_statuses().len()), (None, 0));
    // Nothing of it is decided, or counted, or in the log.
    let newest = stage.engine.snapshot()?.next_record()?;
    stage.chat("late", "?fave")?;
    stage.engine.commit()?;
    assert_eq!((stage.faves()?, stage.engine.snapshot()?.next_record()?), (6, newest));
    let channel = stage.engine.remove_channel(CHANNEL, true, &order(Action::RemoveChannel));
    ensure!(channel.is_err_and(|why| why.to_string().contains("not here")));
    add(&mut stage, CHANNEL)?;
    assert_eq!(stage.output("heat"), Some(heat), "it is shown as it was left");
    assert_eq!(shown(&stage.engine, CHANNEL, "stream").as_deref(), Some("unknown"));
    stage.chat("another", "?fave")?;
    stage.engine.commit()?;
    assert_eq!(stage.faves()?, 7);
    // Time has passed for the heat, too.
    remove(&mut stage, CHANNEL)?;
    stage.now += 10 * HOUR;
    add(&mut stage, CHANNEL)?;
    stage.wait(1_000)?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("0"));
    let actions: Vec<Action> =
        stage.engine.snapshot()?.audit(9)?.into_iter().map(|(_, entry)| entry.action).collect();
    let (added, removed) = (Action::AddChannel, Action::RemoveChannel);
    assert_eq!(actions, [added, removed, added, removed]);
    Ok(())
}

#[test]
fn another_channel_has_rules_counts_and_timers_of_its_own() -> Result<()> {
    let mut stage = Stage::new(parts())?;
    add(&mut stage, "harbour")?;
    let again =
        stage.engine.add_channel(chain("HARBOUR", parts())?, false, &order(Action::AddChannel));
    ensure!(again.is_err_and(|why| why.to_string().contains("already")));
    let line = heat_engine::cases::chat_line("ann", "?fave").map_err(anyhow::Error::msg)?;
    for number in 0..3 {
        let (channel, at) = ("harbour".to_owned(), stage.now);
        let what = Happening::Chat(
            heat_engine::cases::chat_line(&format!("p{number}"), "?fave")
                .map_err(anyhow::Error::msg)?,
        );
        stage.engine.handle(at, Event { id: format!("h{number}"), channel, at, what })?;
    }
    let (channel, at) = (CHANNEL.to_owned(), stage.now);
    stage
        .engine
        .handle(at, Event { id: "s".to_owned(), channel, at, what: Happening::Chat(line) })?;
    stage.engine.commit()?;
    let heat = |channel: &str| shown(&stage.engine, channel, "heat");
    assert_eq!((heat("harbour").as_deref(), heat(CHANNEL).as_deref()), (Some("3"), Some("1")));
    // One goes, and the other does not notice.
    remove(&mut stage, "harbour")?;
    stage.wait(10 * HOUR)?;
    stage.engine.commit()?;
    assert_eq!(shown(&stage.engine, CHANNEL, "heat").as_deref(), Some("0"));
    assert_eq!(shown(&stage.engine, "harbour", "heat"), None);
    Ok(())
}

#[test]
fn changes_hold_over_restarts_until_the_configuration_says_something_else() -> Result<()> {
    let store = Store::in_memory()?;
    let mut stage = Stage::with(parts(), patient(), store.clone())?;
    stage.chat("ann", "?fave")?;
    stage.engine.commit()?;
    remove(&mut stage, CHANNEL)?;
    drop(stage);
    let configured = [CHANNEL.to_owned()];
    let now = |store: &Store, configured: &[String]| -> Result<Vec<String>> {
        Ok(members(configured, &store.snapshot()?.channel_overrides()?))
    };
    assert_eq!(now(&store, &configured)?, Vec::<String>::new());
    // It was taken out of the configuration, and put into it again: that is the later word.
    for (configured, expected) in [(&[][..], &[][..]), (&configured[..], &configured[..])] {
        let chains = expected.iter().map(|it| chain(it, parts())).collect::<Result<_>>()?;
        let mut engine = Engine::open(sandbox()?, store.clone(), chains, START)?;
        engine.resolve_channels(configured)?;
        engine.commit()?;
        drop(engine);
        assert_eq!(now(&store, configured)?, expected);
    }
    assert_eq!(store.snapshot()?.channel_overrides()?.len(), 0);
    Ok(())
}

#[test]
fn the_configuration_brings_a_removed_channel_back_with_what_it_showed() -> Result<()> {
    let store = Store::in_memory()?;
    let mut stage = Stage::with(parts(), patient(), store.clone())?;
    stage.chat("ann", "?fave")?;
    stage.engine.commit()?;
    // It was added by hand once, and the configuration did not name it.
    stage.engine.remove_channel(CHANNEL, false, &order(Action::RemoveChannel))?;
    stage.engine.commit()?;
    drop(stage);
    let chains = vec![chain(CHANNEL, parts())?];
    let mut engine = Engine::open(sandbox()?, store, chains, START)?;
    assert_eq!(shown(&engine, CHANNEL, "heat"), None);
    engine.resolve_channels(&[CHANNEL.to_owned()])?;
    engine.commit()?;
    assert_eq!(shown(&engine, CHANNEL, "heat").as_deref(), Some("1"));
    Ok(())
}

#[test]
fn a_replay_over_the_time_away_comes_to_the_same() -> Result<()> {
    let mut stage = Stage::new(parts())?;
    for round in 0..4 {
        for person in 0..5 {
            stage.chat(&format!("person{round}-{person}"), "?fave")?;
            stage.wait(20_000)?;
        }
        remove(&mut stage, CHANNEL)?;
        stage.now += 60_000;
        add(&mut stage, CHANNEL)?;
    }
    stage.wait(5_000)?;
    stage.engine.commit()?;
    let snapshot = std::sync::Arc::new(stage.engine.snapshot()?);
    let first = snapshot.first_checkpoint(CHANNEL)?.context("there is no checkpoint")?;
    let seed = Seed::checkpoint(&snapshot, CHANNEL, first)?.context("there is no seed")?;
    let blocks = snapshot.blocks(seed.next_record())?;
    let rules = stage.engine.rules(CHANNEL).context("no rules")?;
    let library = Library::new(&sandbox()?, snapshot, &rules);
    let mut run = Run::begin(seed, library, Changes { exact: true, ..Changes::default() })?;
    for block in blocks {
        for record in block?.1 {
            run.follow(&record)?;
        }
    }
    let heat = run.shown().get("decay").and_then(|shown| shown.get("heat").cloned());
    assert_eq!((heat, run.tally()?.faves), (stage.output("heat"), 20));
    Ok(())
}
