//! What must hold of the store whatever happens: tried on made-up evenings, each from its seed, which is named when one fails.

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use heat_engine::wit::Tally;
use heat_engine::{Action, ChangeRequest, Changes, Decision, Library, Run, Seed, UndoTarget};

use crate::stage::{CHANNEL, Stage, sandbox};
use crate::story::{Mix, SPAMMER, Step, Told, recount, story};

/// Tries a property on so many seeds.
fn hold(seeds: u64, property: impl Fn(u64) -> Result<()>) -> Result<()> {
    (0..seeds).try_for_each(|seed| property(seed).with_context(|| format!("with seed {seed}")))
}

/// The contents of two stores are the same; where not, the last words before the difference say of what it is.
fn same(one: &str, other: &str) -> Result<()> {
    let mut words = Vec::new();
    for (one, other) in one.lines().zip(other.lines()) {
        let before = words.join(" ");
        ensure!(one == other, "{before:.4000} … {one:?} and {other:?}");
        words.push(one.trim());
        if one.contains("key: ") || one.contains(": RuleState") {
            words.drain(..words.len().saturating_sub(3));
        }
    }
    ensure!(one.lines().count() == other.lines().count(), "one has more than the other");
    Ok(())
}

#[test]
fn the_counts_are_what_the_log_tells_whatever_happened() -> Result<()> {
    hold(60, |seed| {
        let mix = Mix { restarts: seed % 3 == 0, swaps: seed % 2 == 0 };
        let mut told = Told::new(mix)?;
        let story = story(seed, mix);
        let half = story.len() / 2;
        told.tell(story.iter().enumerate().take(half))?;
        if seed % 4 == 1 {
            take_back(told.stage()?, "spammer")?;
        }
        told.tell(story.iter().enumerate().skip(half))?;
        let stored = told.stage()?.engine.snapshot()?.tallies(CHANNEL)?;
        let (counted, nothing): (Vec<_>, Vec<_>) =
            stored.into_iter().partition(|(_, tally)| tally.faves > 0);
        ensure!(nothing.iter().all(|(_, it)| *it == Tally::default()), "{nothing:?}");
        let expected = recount(&told.records()?);
        ensure!(counted == expected, "{counted:#?} and by the log {expected:#?}");
        let decided: u64 = told.decisions.iter().map(|it| it.faves.len() as u64).sum();
        ensure!(decided > 0 || seed % 2 == 1, "a story without a fave tries nothing");
        Ok(())
    })
}

#[test]
fn how_events_are_grouped_into_commits_does_not_matter() -> Result<()> {
    hold(50, |seed| {
        let mix = Mix { swaps: seed % 3 == 0, ..Mix::default() };
        let story = story(seed, mix);
        let mut random = Rng::with_seed(seed);
        let tell = |commit: &mut dyn FnMut() -> bool| -> Result<Told> {
            let mut told = Told::new(mix)?;
            for (number, step) in story.iter().enumerate() {
                if matches!(step, Step::Commit) {
                    continue;
                }
                told.step_alone(number, step)?;
                if commit() {
                    told.stage()?.engine.commit()?;
                }
            }
            told.stage()?.engine.commit()?;
            Ok(told)
        };
        let mut each = tell(&mut || true)?;
        for mut other in [tell(&mut || false)?, tell(&mut || random.u8(..4) == 0)?] {
            same(&each.contents()?, &other.contents()?)?;
            ensure!(each.records()? == other.records()?, "the logs differ");
        }
        Ok(())
    })
}

#[test]
fn what_comes_twice_counts_once_wherever_it_comes_again() -> Result<()> {
    hold(50, |seed| {
        let mix = Mix { restarts: seed % 5 == 0, swaps: seed % 3 == 0 };
        // Longer waits than the ten minutes for which ids are known make it a new event.
        let mut random = Rng::with_seed(seed);
        let mut story = story(seed, mix);
        story.retain(|step| !matches!(step, Step::Wait(time) if *time > 8_000));
        let mut doubled: Vec<(usize, Step)> = Vec::new();
        for (number, step) in story.iter().enumerate() {
            doubled.push((number, step.clone()));
            while random.u8(..3) > 0 {
                doubled.push((number, Step::Again(random.usize(..=number))));
            }
        }
        let (mut once, mut twice) = (Told::new(mix)?, Told::new(mix)?);
        once.tell(story.iter().enumerate())?;
        twice.tell(doubled.iter().map(|(number, step)| (*number, step)))?;
        same(&once.contents()?, &twice.contents()?)?;
        ensure!(once.records()? == twice.records()?, "the logs differ");
        Ok(())
    })
}

/// What was decided, without what it cost: a replay may call into an instance that is older, or newer.
fn decided(decision: &Decision) -> String {
    let answers = decision.answers.iter().map(|it| (&it.slot, it.on_fave, &it.outcome));
    format!("{:?} {:?}", answers.collect::<Vec<_>>(), decision.faves)
}

#[test]
fn a_replay_of_the_log_decides_the_same() -> Result<()> {
    hold(40, |seed| {
        let mix = Mix { restarts: seed % 4 == 0, swaps: true };
        let mut told = Told::new(mix)?;
        // The first checkpoint is made before the first event.
        told.tell(story(seed, mix).iter().enumerate())?;
        let mut live: Vec<String> =
            told.decisions.iter().filter(|it| !it.answers.is_empty()).map(decided).collect();
        let mut again = Vec::new();
        let mut run = replay(told.stage()?, true, |decision| {
            if !decision.answers.is_empty() {
                again.push(decided(decision));
            }
        })?;
        // Events of the first moment may be in the checkpoint already.
        ensure!(again.len() + 5 >= live.len().min(10), "hardly anything is told again");
        live.drain(..live.len().saturating_sub(again.len()));
        for (place, (live_one, replayed)) in live.iter().zip(&again).enumerate() {
            ensure!(
                live_one == replayed,
                "decision {place} of {} and {}: {live_one} and {replayed}",
                live.len(),
                again.len()
            );
        }
        ensure!(live.len() == again.len(), "{} and {} decisions", live.len(), again.len());
        let kept = format!("{:#?}", run.hand_over_all()?);
        let contents = told.contents()?;
        ensure!(contents.ends_with(&kept), "the state differs: {contents} and {kept}");
        ensure!(run.tally()? == told.stage()?.engine.snapshot()?.channel_tally(CHANNEL)?);
        Ok(())
    })
}

#[test]
fn what_is_taken_back_was_never_there() -> Result<()> {
    hold(50, |seed| {
        let mix = Mix { swaps: seed % 3 == 0, ..Mix::default() };
        let story = story(seed, mix);
        let theirs = |step: &Step| matches!(step, Step::Chat(SPAMMER, _));
        let half = story.len() / 2;
        let (mut with, mut without) = (Told::new(mix)?, Told::new(mix)?);
        with.tell(story.iter().enumerate().take(half))?;
        without.tell(story.iter().enumerate().take(half).filter(|(_, step)| !theirs(step)))?;
        take_back(with.stage()?, "spammer")?;
        same(&with.contents()?, &without.contents()?)?;
        // And it stays so.
        let rest = || story.iter().enumerate().skip(half).filter(|(_, step)| !theirs(step));
        with.tell(rest())?;
        without.tell(rest())?;
        same(&with.contents()?, &without.contents()?)
    })
}

/// Takes back what a person did, as heatd does it: the counts at once, then the state of a run that leaves it out.
fn take_back(stage: &mut Stage, person: &str) -> Result<()> {
    stage.engine.commit()?;
    let undo = stage.engine.snapshot()?.undo(CHANNEL, &UndoTarget::Person(person.to_owned()), 0)?;
    if undo.first.is_none() {
        return Ok(());
    }
    stage.engine.take_back_faves(&undo, &ChangeRequest::new(Action::Undo, "test", ""))?;
    stage.engine.commit()?;
    let states = replay(stage, false, |_| {})?.hand_over_all()?;
    stage.engine.adopt(CHANNEL, states)?;
    stage.engine.commit()?;
    Ok(())
}

/// The log told to a run from its first checkpoint.
fn replay(stage: &Stage, exact: bool, mut tell: impl FnMut(&Decision)) -> Result<Run> {
    let snapshot = std::sync::Arc::new(stage.engine.snapshot()?);
    let first = snapshot.first_checkpoint(CHANNEL)?.context("there is no checkpoint")?;
    let seed = Seed::checkpoint(&snapshot, CHANNEL, first)?.context("there is no seed")?;
    let blocks = snapshot.blocks(seed.next_record())?;
    let rules = stage.engine.rules(CHANNEL).context("there is no chain")?;
    let changes = Changes { exact, ..Changes::default() };
    let mut run = Run::begin(seed, Library::new(&sandbox()?, snapshot, &rules), changes)?;
    for block in blocks {
        for record in block?.1 {
            run.follow(&record)?.iter().for_each(&mut tell);
        }
    }
    run.advance_to(stage.now)?;
    Ok(run)
}
