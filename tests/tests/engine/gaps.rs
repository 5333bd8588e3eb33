//! Times in which chat was not heard are marks in the log: nothing is counted, decided, or told to a rule because of them.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use heat_engine::{Changes, Library, Record, Run, Seed, UndoTarget, why};

use crate::stage::{CHANNEL, START, Stage, plain, sandbox};

const WHY: &str = "the server closed the connection";

/// Three faves, and two gaps between them.
fn with_gaps() -> Result<Stage> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    stage.chat("ann", "?fave Gap")?;
    for person in ["bob", "cy"] {
        let from = stage.now;
        stage.wait(30_000)?;
        stage.engine.gap(stage.now, CHANNEL, from, WHY);
        stage.chat(person, "?fave")?;
        stage.engine.commit()?;
    }
    Ok(stage)
}

fn gaps(records: &[Record]) -> Vec<(u64, u64, &str)> {
    let gaps = records.iter().filter_map(|record| match record {
        Record::Gap { now, from, why, .. } => Some((*from - START, *now - START, why.as_str())),
        _ => None,
    });
    gaps.collect()
}

#[test]
fn gaps_are_found_again_and_only_those_that_are_asked_for() -> Result<()> {
    let mut stage = with_gaps()?;
    let snapshot = stage.engine.snapshot()?;
    let found = snapshot.gaps_since(START)?;
    assert_eq!(gaps(&found), [(0, 30_000, WHY), (30_000, 60_000, WHY)]);
    assert_eq!(gaps(&snapshot.gaps_since(START + 30_001)?), [(30_000, 60_000, WHY)]);
    assert_eq!(gaps(&snapshot.records_since(START)?), gaps(&found));
    ensure!(found.iter().all(|gap| gap.channel() == CHANNEL));
    // Of a channel that is not there nothing is noted, and a gap that begins after its end has no length.
    stage.engine.gap(stage.now, "elsewhere", START, WHY);
    stage.engine.gap(stage.now, CHANNEL, stage.now + 5, WHY);
    stage.engine.commit()?;
    let found = stage.engine.snapshot()?.gaps_since(START)?;
    assert_eq!(gaps(&found)[2..], [(60_000, 60_000, WHY)]);
    Ok(())
}

#[test]
fn a_run_that_ends_by_itself_has_heard_until_then_and_another_until_its_newest_record() -> Result<()>
{
    let mut stage = Stage::new(vec![plain("fave")])?;
    stage.chat("ann", "?fave")?;
    stage.engine.commit()?;
    assert_eq!(stage.engine.snapshot()?.heard_until()?, stage.now);
    stage.engine.end(stage.now + 3_600_000)?;
    let snapshot = stage.engine.snapshot()?;
    assert_eq!((snapshot.heard_until()?, snapshot.newest()?), (stage.now + 3_600_000, stage.now));
    // A clock that was behind has not made it earlier than what is there.
    stage.engine.end(1)?;
    assert_eq!(stage.engine.snapshot()?.heard_until()?, stage.now);
    Ok(())
}

#[test]
fn a_gap_counts_nothing_and_replay_undo_and_why_go_over_it() -> Result<()> {
    let stage = with_gaps()?;
    let snapshot = Arc::new(stage.engine.snapshot()?);
    assert_eq!(stage.faves()?, 3);
    let chains = stage.engine.chains().flat_map(|(_, rules)| rules);
    let rules: Vec<_> = chains.map(|(slot, rule)| (slot.to_string(), rule.clone())).collect();

    let first = snapshot.first_checkpoint(CHANNEL)?.context("there is no checkpoint")?;
    let seed = Seed::checkpoint(&snapshot, CHANNEL, first)?.context("there is no seed")?;
    let blocks = snapshot.blocks(seed.next_record())?;
    let library = Library::new(&sandbox()?, Arc::clone(&snapshot), &rules);
    let mut run = Run::begin(seed, library, Changes { exact: true, ..Changes::default() })?;
    for block in blocks {
        for record in block?.1 {
            run.follow(&record)?;
        }
    }
    let heat = run.shown().get("decay").and_then(|shown| shown.get("heat")).cloned();
    assert_eq!((heat, run.tally()?.faves), (stage.output("heat"), 3));

    let undo = snapshot.undo(CHANNEL, &UndoTarget::Person("bob".to_owned()), 0)?;
    assert_eq!((undo.events.len(), undo.taken.len()), (1, 1));
    let found = why(&sandbox()?, snapshot, CHANNEL, &rules, "heat", 100)?;
    let (_, causes) = found.context("there is a checkpoint")?;
    let people: Vec<_> = causes.iter().filter_map(|it| Some(&*it.person.as_ref()?.login)).collect();
    assert_eq!(people, ["ann", "bob", "cy"]);
    Ok(())
}
