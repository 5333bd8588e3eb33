//! Replays are exact: the log told again gives what was answered live, twice the same to the byte, through swaps and faults.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use heat_engine::wit::Happening;
use heat_engine::{
    Action, ChangeRequest, Changes, Decision, Given, Library, Rule, Run, Seed, Status,
};
use heat_tests::chat::Generator;
use heat_tests::irc::Parts;

use crate::stage::{CHANNEL, Stage, loaded, patient, plain, sandbox};

/// Everything that was decided, as text: effects, faults, faves.
fn written(text: &mut String, decisions: &[Decision]) -> Result<()> {
    for decision in decisions.iter().filter(|it| !it.answers.is_empty()) {
        // What a call costs depends on how long its instance has lived.
        let answers: Vec<_> = decision
            .answers
            .iter()
            .map(|answer| (&answer.slot, answer.on_fave, &answer.outcome))
            .collect();
        writeln!(text, "{answers:?} {:?}", decision.faves)?;
    }
    Ok(())
}

fn half_life(text: &str) -> Vec<(String, Given)> {
    vec![("half_life".to_owned(), Given::Text(text.to_owned()))]
}

/// A made-up chat of some hours with swaps, faults, a slot that is off for a while. Returns what was decided.
fn tell(stage: &mut Stage) -> Result<String> {
    let (mut told, mut last) = (String::new(), None);
    for (number, line) in Generator::new(7, CHANNEL).lines(1500).iter().enumerate() {
        let parts = Parts::of(line.as_bytes()).context("a line without a command")?;
        let at: u64 = parts.tag("tmi-sent-ts").context("a line without a time")?.parse()?;
        // Slower than it was made, so that timers fire in between.
        written(&mut told, &stage.wait(20 * (at - last.replace(at).unwrap_or(at)))?)?;
        let text = String::from_utf8_lossy(parts.text().unwrap_or_default()).into_owned();
        written(&mut told, &[stage.chat(&parts.login(), &text)?])?;
        let order = |action| ChangeRequest::new(action, "test", "");
        match number {
            250 => stage.swap("decay", "decay", &half_life("30s"))?,
            500 => stage.swap("total", "totals-two", &[])?,
            600 | 605 => written(&mut told, &[stage.chat("mallory", "!do panic")?])?,
            750 => {
                let disable = order(Action::Disable);
                stage.engine.set_status(&CHANNEL.into(), "crowd", Status::Disabled, &disable)?;
            }
            900 => {
                let enable = order(Action::Enable);
                stage.engine.set_status(&CHANNEL.into(), "crowd", Status::On, &enable)?;
            }
            1000 => stage.swap("decay", "decay", &half_life("20m"))?,
            1250 => drop(stage.event(Happening::StreamStart)?),
            _ => {}
        }
        if number % 100 == 0 {
            stage.engine.commit()?;
        }
    }
    stage.engine.commit()?;
    Ok(told)
}

/// The log told to a run from its first checkpoint: what it decided, and what the rules had at the end.
fn replayed(stage: &Stage, changes: Changes) -> Result<(String, String)> {
    let snapshot = Arc::new(stage.engine.snapshot()?);
    let first = snapshot.first_checkpoint(CHANNEL)?.context("there is no checkpoint")?;
    let seed = Seed::checkpoint(&snapshot, CHANNEL, first)?.context("there is no seed")?;
    let blocks = snapshot.blocks(seed.next_record())?;
    let rules = stage.engine.rules(CHANNEL).context("there is no chain")?;
    let mut run = Run::begin(seed, Library::new(&sandbox()?, snapshot, &rules), changes)?;
    let mut told = String::new();
    for block in blocks {
        for record in block?.1 {
            written(&mut told, &run.follow(&record)?)?;
        }
    }
    Ok((told, format!("{:?} {:?}", run.hand_over_all()?, run.tally()?)))
}

fn stage() -> Result<Stage> {
    Stage::new(vec![
        plain("fave"),
        plain("misbehave"),
        plain("multiplier"),
        plain("decay"),
        plain("crowd"),
        plain("combo"),
        ("total", "totals-one", Vec::new()),
    ])
}

#[test]
fn a_log_with_swaps_and_faults_is_replayed_to_the_byte_as_it_was_decided() -> Result<()> {
    let mut stage = stage()?;
    let live = tell(&mut stage)?;
    ensure!(live.contains("Err(") && live.contains("in all"), "faults, and the swapped rule");
    let exact = || Changes { exact: true, ..Changes::default() };
    let (told, kept) = replayed(&stage, exact())?;
    for (place, (live, replayed)) in live.lines().zip(told.lines()).enumerate() {
        assert_eq!(live, replayed, "the decision of number {place}");
    }
    assert_eq!(live.lines().count(), told.lines().count());
    assert_eq!((told, kept), replayed(&stage, exact())?);
    Ok(())
}

#[test]
fn a_replay_with_another_rule_gives_the_same_bytes_each_time() -> Result<()> {
    let mut stage = stage()?;
    let live = tell(&mut stage)?;
    let other = || -> Result<(String, String)> {
        let limits = Arc::new(patient());
        let rule = Rule::new(&*sandbox()?, &limits, &loaded("decay")?, &half_life("10s"))?;
        let rule = Some(("decay".to_owned(), rule));
        replayed(&stage, Changes { rule, ..Changes::default() })
    };
    let (told, kept) = other()?;
    ensure!(told != live, "the other rule answers otherwise");
    assert_eq!((told, kept), other()?);
    Ok(())
}
