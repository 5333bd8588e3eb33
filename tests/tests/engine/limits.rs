//! The limits hold: whatever a call does, it ends, none of its effects remain, and the culprit and the limit are named.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use heat_engine::{Chain, Component, Engine, Limits, Record, Rule, Sandbox, Store};

use crate::stage::{CHANNEL, START, Stage, component, lines, patient, plain};

fn stage() -> Result<Stage> {
    Stage::new(vec![plain("misbehave"), plain("fave")])
}

#[test]
fn every_limit_ends_the_call_names_itself_and_drops_all_effects() -> Result<()> {
    for (what, expected) in [
        ("spin", "units of fuel"),
        ("read", "units of fuel"),
        ("recurse", "bytes of stack"),
        ("grow", "bytes of memory"),
        ("panic", "it trapped"),
        ("error", "it answered with an error: on purpose"),
        ("flood", "it has 1002 effects, and the limit is 256"),
        ("long key", "a name of 1000 bytes is longer than 256"),
        ("big value", "a value of 100000 bytes is longer than 65536"),
        ("huge answer", "handed over more than 1048576 bytes"),
        ("alarms", "more than 32 timers"),
        ("faves", "it asks for 101 faves, and the limit is 16"),
        ("long error", "no reason at all!!!"),
    ] {
        let mut stage = stage()?;
        let decision = stage.chat("mallory", &format!("!do {what}"))?;
        let said = lines(&decision.answers, "misbehave");
        ensure!(said.len() == 1 && said[0].contains(expected), "{what}: {said:?}");
        ensure!(decision.faves.is_empty(), "{what}: a fave was counted");
        // The other rules go on, with the same event's group.
        assert_eq!(stage.chat("ann", "?fave pie")?.faves.len(), 1);
        stage.engine.commit()?;
        assert_eq!(stage.faves()?, 1, "{what}");
        assert_eq!(stage.engine.snapshot()?.rows()?.0, 0, "{what}: something was put");
        let faults = stage.engine.snapshot()?.records_since(0)?;
        let named = faults.iter().any(|record| {
            matches!(record, Record::Fault { slot, cause, .. } if slot == "misbehave" && cause.contains(expected))
        });
        ensure!(named, "{what}: the log does not name the culprit: {faults:?}");
    }
    Ok(())
}

#[test]
fn a_call_that_fuel_does_not_end_ends_by_the_wall_clock() -> Result<()> {
    let limits = Limits { fuel: u64::MAX, wall_ms: 20, ..Limits::default() };
    let mut stage = Stage::with(vec![plain("misbehave")], limits, Store::in_memory()?)?;
    let decision = stage.chat("mallory", "!do spin")?;
    assert_eq!(lines(&decision.answers, "misbehave"), ["fails: it ran for longer than 20 ms"]);
    Ok(())
}

#[test]
fn state_without_end_stops_at_the_limit_and_what_was_kept_stays() -> Result<()> {
    let limits = Limits { state_bytes: 2 << 20, ..Limits::default() };
    let mut stage = Stage::with(vec![plain("misbehave")], limits, Store::in_memory()?)?;
    let hoard = |stage: &mut Stage| -> Result<Vec<String>> {
        stage.wait(1)?;
        Ok(lines(&stage.chat("mallory", "!do hoard")?.answers, "misbehave"))
    };
    assert_eq!(hoard(&mut stage)?.len(), 252);
    assert_eq!(hoard(&mut stage)?.len(), 252);
    let refused = hoard(&mut stage)?;
    ensure!(
        refused.len() == 1 && refused[0].contains("more than 100000 keys or 2097152 bytes"),
        "{refused:?}"
    );
    stage.engine.commit()?;
    assert_eq!(stage.engine.snapshot()?.rows()?.0, 501);
    Ok(())
}

#[test]
fn messages_without_end_stop_while_no_broker_takes_them() -> Result<()> {
    let limits = Limits { outbox: 2, ..patient() };
    let mut stage =
        Stage::with(vec![plain("fave"), plain("publisher")], limits, Store::in_memory()?)?;
    stage.chat("ann", "?fave a")?;
    stage.chat("ann", "?fave b")?;
    let refused = stage.chat("ann", "?fave c")?;
    ensure!(
        lines(&refused.answers, "publisher")[0].contains("2 messages wait for a broker already")
    );
    assert_eq!(refused.faves.len(), 1, "the fave counts all the same");
    let numbers: Vec<u64> =
        stage.engine.commit()?.messages.iter().map(|(number, _)| *number).collect();
    stage.engine.sent(numbers[0])?;
    stage.engine.sent(numbers[0])?;
    assert_eq!(lines(&stage.chat("ann", "?fave d")?.answers, "publisher").len(), 2);
    Ok(())
}

#[test]
fn messages_that_wait_are_bounded_in_bytes_and_read_in_parts() -> Result<()> {
    let one = "lights".len() as u64;
    let limits = Limits { outbox_bytes: 2 * one + 40, ..patient() };
    let rules = || vec![plain("fave"), plain("publisher")];
    let mut stage = Stage::with(rules(), limits, Store::in_memory()?)?;
    let mut sent = 0;
    let refused = loop {
        let decision = stage.chat("ann", &format!("?fave {sent}"))?;
        let answer = lines(&decision.answers, "publisher").concat();
        if answer.contains("wait for a broker already") {
            break answer;
        }
        sent += 1;
        ensure!(sent < 100, "messages of any size may wait: {answer}");
    };
    ensure!(sent > 1, "{refused}");
    stage.engine.commit()?;
    let snapshot = stage.engine.snapshot()?;
    let all = snapshot.outbox()?;
    assert_eq!(all.len(), sent);
    // A part is never empty while something is left, and parts after each other are everything.
    let (mut parts, mut from) = (Vec::new(), 0);
    loop {
        let part = snapshot.outbox_from(from, 1)?;
        let Some(last) = part.last() else { break };
        assert_eq!(part.len(), 1);
        from = last.0 + 1;
        parts.extend(part);
    }
    assert_eq!(parts, all);
    // What is acknowledged makes room.
    for (number, ..) in &all {
        stage.engine.sent(*number)?;
    }
    let decision = stage.chat("ann", "?fave more")?;
    ensure!(!lines(&decision.answers, "publisher").concat().contains("already"));
    Ok(())
}

#[test]
fn a_chatty_rule_is_cut_short_and_goes_on() -> Result<()> {
    let decision = stage()?.chat("mallory", "!do chatter")?;
    assert_eq!(lines(&decision.answers, "misbehave").len(), 2);
    Ok(())
}

#[test]
fn an_instance_is_gone_after_its_events_and_after_the_commit() -> Result<()> {
    let remembered = |stage: &mut Stage| -> Result<()> {
        stage.chat("mallory", "!do remember")?;
        Ok(())
    };
    let limits = Limits { instance_events: 2, ..Limits::default() };
    let mut stage = Stage::with(vec![plain("misbehave")], limits, Store::in_memory()?)?;
    let mut seen = Vec::new();
    for round in 0..5 {
        remembered(&mut stage)?;
        let answer = stage.chat("mallory", "!do remember")?;
        let put = lines(&answer.answers, "misbehave");
        ensure!(put.iter().any(|line| line.contains("remembered")), "{put:?}");
        if round == 2 {
            stage.engine.commit()?;
        }
        seen.push(put);
    }
    ensure!(seen.windows(2).all(|pair| pair[0] == pair[1]));
    Ok(())
}

#[test]
fn a_timer_in_the_past_comes_no_sooner_than_a_tenth_of_a_second() -> Result<()> {
    let mut stage = stage()?;
    stage.chat("mallory", "!do tick")?;
    let now = stage.now;
    assert_eq!(stage.engine.next_wake(), Some(now + 100));
    Ok(())
}

#[test]
fn an_output_belongs_to_the_rule_that_shows_it_first() -> Result<()> {
    let mut stage =
        Stage::new(vec![plain("fave"), plain("witness"), ("other", "witness", Vec::new())])?;
    let decision = stage.chat("ann", "?fave")?;
    ensure!(
        lines(&decision.answers, "other")[0]
            .contains("the output seen belongs to the rule in slot witness")
    );
    Ok(())
}

#[test]
fn messages_that_a_rule_refuses_do_not_turn_it_off() -> Result<()> {
    let topics = heat_engine::Given::List(vec![heat_engine::Given::Text("deck".to_owned())]);
    let mut stage = Stage::new(vec![("fave", "fave", vec![("topics".to_owned(), topics)])])?;
    for _ in 0..30 {
        let decision = stage.mqtt("deck", b"\xFF", false)?;
        ensure!(lines(&decision.answers, "fave")[0].contains("is not UTF-8"), "{decision:?}");
    }
    assert_eq!(stage.standing("fave"), Some(("live", "fave".to_owned())));
    assert_eq!(stage.chat("ann", "?fave pie")?.faves.len(), 1);
    Ok(())
}

/// The processor's time, as a machine tells it on which a call takes 60 ms.
fn slow_machine() -> Duration {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    Duration::from_millis(60 * ASKED.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn a_rule_whose_calls_are_slow_again_and_again_is_turned_off_and_what_it_decided_stands()
-> Result<()> {
    let slow = |slow_ms| -> Result<Stage> {
        let sandbox = Arc::new(Sandbox::new(None)?.with_processor_clock(slow_machine));
        let limits = Arc::new(Limits { slow_ms, ..patient() });
        let fave = Arc::new(Component::load(&sandbox, &limits, &component("fave")?)?);
        let rules = vec![("fave".to_owned(), Rule::new(&sandbox, &limits, &fave, &[])?)];
        let chain = Chain { channel: CHANNEL.to_owned(), rules };
        Ok(Stage::over(Engine::open(sandbox, Store::in_memory()?, vec![chain], START)?))
    };
    let mut stage = slow(50)?;
    for number in 1..=10 {
        assert_eq!(stage.standing("fave").map(|it| it.0), Some("live"), "{number}");
        assert_eq!(stage.chat(&format!("fan{number}"), "?fave pie")?.faves.len(), 1);
    }
    assert_eq!(stage.standing("fave").map(|it| it.0), Some("quarantined"));
    stage.engine.commit()?;
    assert_eq!(stage.faves()?, 10);
    let why = stage.engine.slot_statuses().remove(0).reason.unwrap_or_default();
    ensure!(why.contains("a call took 60 ms of the processor's time"), "{why}");
    // A log that says so is no fault of a call: a replay decides the same on any machine.
    let records = stage.engine.snapshot()?.records_since(0)?;
    ensure!(!records.iter().any(|it| matches!(it, Record::Fault { .. })));

    let mut stage = slow(70)?;
    for number in 0..20 {
        assert_eq!(stage.chat(&format!("fan{number}"), "?fave pie")?.faves.len(), 1);
    }
    assert_eq!(stage.standing("fave").map(|it| it.0), Some("live"));
    Ok(())
}

#[test]
fn state_that_is_written_without_end_is_refused_by_name_and_may_go_on_later() -> Result<()> {
    let limits = Limits {
        written_at_once: 1 << 20,
        written_per_second: 100 << 10,
        faults: usize::MAX,
        ..patient()
    };
    let mut stage = Stage::with(vec![plain("hostile")], limits, Store::in_memory()?)?;
    let churn = |stage: &mut Stage| -> Result<Vec<String>> {
        Ok(lines(&stage.chat("mallory", "!attack state same")?.answers, "hostile"))
    };
    assert_eq!(churn(&mut stage)?.len(), 251);
    let refused = churn(&mut stage)?;
    ensure!(
        refused.len() == 1
            && refused[0]
                .contains("it changes its state too fast: 1048576 bytes may be written at once"),
        "{refused:?}"
    );
    stage.wait(10_000)?;
    assert_eq!(churn(&mut stage)?.len(), 251);
    Ok(())
}

#[test]
fn a_rule_whose_output_another_has_shown_first_is_not_turned_off_for_that() -> Result<()> {
    let mut stage = Stage::new(vec![plain("hostile"), plain("fave"), plain("decay")])?;
    stage.chat("mallory", "!attack show heat")?;
    for number in 0..30 {
        let decision = stage.chat(&format!("fan{number}"), "?fave pie")?;
        let said = lines(&decision.answers, "decay").concat();
        ensure!(said.contains("the output heat belongs to the rule in slot hostile"), "{said}");
    }
    assert_eq!(stage.standing("decay").map(|it| it.0), Some("live"));
    Ok(())
}
