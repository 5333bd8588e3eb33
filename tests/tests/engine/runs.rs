//! Runs: a copy of the chain over its own state answers what would have been, and taking back makes it so.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use heat_engine::wit::EmoteProvider;
use heat_engine::{
    Action, ChangeRequest, Changes, Given, Library, Record, Rule, Run, Seed, UndoTarget, why,
};

use crate::stage::{CHANNEL, Stage, loaded, patient, plain, sandbox};

fn rules(stage: &Stage) -> Vec<(String, Rule)> {
    let chains = stage.engine.chains().flat_map(|(_, rules)| rules);
    chains.map(|(slot, rule)| (slot.to_string(), rule.clone())).collect()
}

fn decay(half_life: &str) -> Result<(String, Rule)> {
    let given = [("half_life".to_owned(), Given::Text(half_life.to_owned()))];
    let rule = Rule::new(&*sandbox()?, &Arc::new(patient()), &loaded("decay")?, &given)?;
    Ok(("decay".to_owned(), rule))
}

/// Everything that is in the log, told to a run from the first checkpoint.
fn replay(stage: &Stage, changes: Changes) -> Result<Run> {
    let snapshot = Arc::new(stage.engine.snapshot()?);
    let first = snapshot.first_checkpoint(CHANNEL)?.context("there is no checkpoint")?;
    let seed = Seed::checkpoint(&snapshot, CHANNEL, first)?.context("there is no seed")?;
    let blocks = snapshot.blocks(seed.next_record())?;
    let library = Library::new(&sandbox()?, snapshot, &rules(stage));
    let mut run = Run::begin(seed, library, changes)?;
    for block in blocks {
        for record in block?.1 {
            run.follow(&record)?;
        }
    }
    Ok(run)
}

fn heat(run: &Run) -> Option<String> {
    run.shown().get("decay")?.get("heat").cloned()
}

#[test]
fn a_replay_of_the_same_rules_comes_to_the_same_and_of_another_rule_to_another() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    for minute in 0..30 {
        stage.chat(&format!("person{minute}"), "?fave")?;
        stage.wait(60_000)?;
    }
    stage.engine.commit()?;
    let live = stage.output("heat");
    let mut same = replay(&stage, Changes { exact: true, ..Changes::default() })?;
    assert_eq!(heat(&same), live);
    assert_eq!(same.tally()?.faves, 30);
    let changes = Changes { rule: Some(decay("10s")?), ..Changes::default() };
    let other = replay(&stage, changes)?;
    ensure!(heat(&other) != live, "{:?}", heat(&other));
    Ok(())
}

#[test]
fn a_change_of_emotes_is_in_the_log_and_changes_nothing_else() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    let emote = |name: &str| vec![(name.to_owned(), "60ae9a57".to_owned())];
    for minute in 0..4 {
        stage.chat(&format!("person{minute}"), "?fave")?;
        stage.wait(60_000)?;
        stage.engine.emotes_changed(CHANNEL, EmoteProvider::SevenTv, emote("<b>"), Vec::new());
        stage.engine.emotes_changed("", EmoteProvider::BetterTtv, Vec::new(), emote("(ditto)"));
    }
    stage.engine.commit()?;
    let mut same = replay(&stage, Changes { exact: true, ..Changes::default() })?;
    assert_eq!((heat(&same), same.tally()?.faves), (stage.output("heat"), 4));
    let snapshot = Arc::new(stage.engine.snapshot()?);
    let records = snapshot.records_since(0)?;
    let changes = records.iter().filter(|it| matches!(it, Record::Emotes { .. }));
    let told: Vec<_> = changes.map(Record::channel).collect();
    assert_eq!(told, [CHANNEL, ""].repeat(4));
    let undo = snapshot.undo(CHANNEL, &UndoTarget::Person("person1".to_owned()), 0)?;
    assert_eq!((undo.events.len(), undo.taken.len()), (1, 1));
    Ok(())
}

#[test]
fn a_replay_follows_the_swaps_of_the_log() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    stage.chat("ann", "?fave")?;
    let (_, rule) = decay("20s")?;
    stage.swap("decay", "decay", rule.given())?;
    stage.chat("bob", "?fave")?;
    stage.wait(40_000)?;
    stage.chat("cy", "?fave")?;
    stage.engine.commit()?;
    let run = replay(&stage, Changes { exact: true, ..Changes::default() })?;
    assert_eq!(heat(&run), stage.output("heat"));
    Ok(())
}

#[test]
fn a_replay_comes_by_swaps_and_the_way_back_as_it_was() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    let people = |stage: &mut Stage, names: &[&str]| -> Result<()> {
        names.iter().try_for_each(|name| {
            stage.wait(1_000)?;
            stage.chat(name, "?fave").map(drop)
        })
    };
    let back = |stage: &mut Stage| {
        let order = ChangeRequest::new(Action::RollBack, "test", "");
        anyhow::Ok(stage.engine.roll_back(&CHANNEL.into(), "decay", &order)?)
    };
    people(&mut stage, &["ann", "bob"])?;
    let (_, short) = decay("1s")?;
    stage.swap("decay", "decay", short.given())?;
    people(&mut stage, &["cy", "dee"])?;
    back(&mut stage)?;
    stage.swap("decay", "crowd", &[])?;
    people(&mut stage, &["eve"])?;
    stage.chat("fay", "hello")?;
    back(&mut stage)?;
    people(&mut stage, &["gus"])?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("6"));
    let run = replay(&stage, Changes { exact: true, ..Changes::default() })?;
    assert_eq!(heat(&run), stage.output("heat"));
    let run = replay(&stage, Changes::default())?;
    assert_eq!(heat(&run), stage.output("heat"));
    // Another rule that stays: what only the one before has shown is taken back in the run too.
    stage.swap("decay", "crowd", &[])?;
    stage.wait(700_000)?;
    people(&mut stage, &["hal"])?;
    stage.engine.commit()?;
    let run = replay(&stage, Changes::default())?;
    assert_eq!((heat(&run), stage.output("heat")), (None, None));
    Ok(())
}

#[test]
fn a_letter_is_for_a_rule_that_takes_such_events() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    stage.swap("fave", "misbehave", &[])?;
    (0..3).try_for_each(|_| stage.chat("ann", "!do panic").map(drop))?;
    stage.engine.commit()?;
    assert_eq!(stage.standing("fave"), Some(("live", "fave".to_owned())));
    let letters = stage.engine.snapshot()?.dead_letters()?;
    let refused = stage.engine.retry(letters[0].0, &letters[0].1).unwrap_err();
    ensure!(refused.to_string().contains("does not take such an event"), "{refused}");
    assert_eq!(stage.faves()?, 0);
    Ok(())
}

#[test]
fn a_shadow_follows_what_happens_and_is_promoted_with_what_it_has_made() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    stage.chat("ann", "?fave")?;
    stage.engine.commit()?;
    stage.engine.take_unpublished();
    let snapshot = Arc::new(stage.engine.snapshot()?);
    let seed = Seed::present(&snapshot, CHANNEL, &rules(&stage))?;
    let (slot, candidate) = decay("1s")?;
    let library = Library::new(&sandbox()?, snapshot, &rules(&stage));
    let rule = Some((slot.clone(), candidate.clone()));
    let mut run = Run::begin(seed, library, Changes { rule, ..Changes::default() })?;
    for name in ["bob", "cy", "dee"] {
        stage.wait(10_000)?;
        stage.chat(name, "?fave")?;
    }
    let records: Vec<Record> = stage.engine.take_unpublished().to_vec();
    for record in &records {
        run.follow(record)?;
    }
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("4"), "what is live has not noticed");
    assert_eq!(heat(&run).as_deref(), Some("1"), "each was gone before the next came");
    let begun = stage.engine.begin(CHANNEL, &slot)?;
    let handed = run.hand_over(&slot)?.context("the slot is there")?;
    let swap = begun.handed(candidate, handed);
    stage.engine.flip(swap, &ChangeRequest::new(Action::Promote, "test", ""))?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("1"), "shown at once");
    Ok(())
}

#[test]
fn taking_back_a_person_leaves_what_would_have_been_without() -> Result<()> {
    let (mut stage, mut without) = (
        Stage::new(vec![plain("fave"), plain("decay")])?,
        Stage::new(vec![plain("fave"), plain("decay")])?,
    );
    for minute in 0..5 {
        stage.chat(&format!("person{minute}"), "?fave")?;
        without.chat(&format!("person{minute}"), "?fave")?;
        stage.chat("spammer", "?fave")?;
        stage.wait(60_000)?;
        without.wait(60_000)?;
    }
    stage.engine.commit()?;
    without.engine.commit()?;
    assert_ne!(stage.output("heat"), without.output("heat"));

    let which = UndoTarget::Person("Spammer".to_owned());
    let undo = stage.engine.snapshot()?.undo(CHANNEL, &which, 0)?;
    ensure!(!undo.taken.is_empty() && undo.events.len() == 5, "{undo:?}");
    stage.engine.take_back_faves(&undo, &ChangeRequest::new(Action::Undo, "test", ""))?;
    stage.engine.commit()?;
    assert_eq!(stage.faves()?, without.faves()?, "the counts at once");
    let states: BTreeMap<_, _> = replay(&stage, Changes::default())?.hand_over_all()?;
    let changed = stage.engine.adopt(CHANNEL, states)?;
    stage.engine.commit()?;
    ensure!(changed.iter().any(|(name, ..)| name == "heat"), "{changed:?}");
    assert_eq!(stage.output("heat"), without.output("heat"));
    stage.chat("late", "?fave")?;
    without.chat("late", "?fave")?;
    stage.engine.commit()?;
    without.engine.commit()?;
    assert_eq!(stage.output("heat"), without.output("heat"));
    let again = stage.engine.snapshot()?.undo(CHANNEL, &which, 0)?;
    ensure!(again.events.is_empty() && again.taken.is_empty(), "nothing is left to take back");
    Ok(())
}

#[test]
fn taking_back_reaches_behind_a_promotion() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    stage.chat("ann", "?fave")?;
    for _ in 0..5 {
        stage.chat("spammer", "?fave")?;
    }
    stage.engine.commit()?;
    let snapshot = Arc::new(stage.engine.snapshot()?);
    let seed = Seed::present(&snapshot, CHANNEL, &rules(&stage))?;
    let (slot, candidate) = decay("1h")?;
    let library = Library::new(&sandbox()?, snapshot, &rules(&stage));
    let rule = Some((slot.clone(), candidate.clone()));
    let mut run = Run::begin(seed, library, Changes { rule, ..Changes::default() })?;
    ensure!(heat(&run).is_none(), "a shadow shows what it has shown itself");
    let begun = stage.engine.begin(CHANNEL, &slot)?;
    let handed = run.hand_over(&slot)?.context("the slot is there")?;
    stage
        .engine
        .flip(begun.handed(candidate, handed), &ChangeRequest::new(Action::Promote, "test", ""))?;
    stage.chat("bob", "?fave")?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("7"));

    let which = UndoTarget::Person("spammer".to_owned());
    let undo = stage.engine.snapshot()?.undo(CHANNEL, &which, 0)?;
    stage.engine.take_back_faves(&undo, &ChangeRequest::new(Action::Undo, "test", ""))?;
    stage.engine.commit()?;
    let states = replay(&stage, Changes::default())?.hand_over_all()?;
    stage.engine.adopt(CHANNEL, states)?;
    stage.engine.commit()?;
    assert_eq!((stage.output("heat").as_deref(), stage.faves()?), (Some("2"), 2));
    Ok(())
}

#[test]
fn why_names_the_events_behind_an_output() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    stage.chat("ann", "?fave")?;
    stage.chat("bob", "hello")?;
    stage.chat("cy", "?fave")?;
    stage.engine.commit()?;
    let snapshot = Arc::new(stage.engine.snapshot()?);
    let found = why(&sandbox()?, snapshot, CHANNEL, &rules(&stage), "heat", 10)?;
    let (_, causes) = found.context("there is a checkpoint")?;
    let told: Vec<_> = causes
        .iter()
        .map(|cause| {
            let person = cause.person.as_ref().map(|person| person.login.as_str());
            (person, cause.weight, cause.before.as_deref(), cause.after.as_str())
        })
        .collect();
    assert_eq!(told, [(Some("ann"), 1000, None, "1"), (Some("cy"), 1000, Some("1"), "2")]);
    assert_eq!(causes[0].slot, "decay");
    Ok(())
}
