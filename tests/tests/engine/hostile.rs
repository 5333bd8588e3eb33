//! Attacks by a rule that runs: each is stopped and named, its effects are dropped whole, and the other rules go on.

use anyhow::{Result, ensure};
use heat_engine::{Limits, Record, Store};

use crate::stage::{CHANNEL, Stage, lines, patient, plain};

fn stage() -> Result<Stage> {
    let parts = vec![plain("hostile"), plain("fave"), plain("decay")];
    // However often it fails, it is called again.
    Stage::with(parts, Limits { faults: usize::MAX, ..patient() }, Store::in_memory()?)
}

fn attack(stage: &mut Stage, what: &str) -> Result<Vec<String>> {
    Ok(lines(&stage.chat("mallory", &format!("!attack {what}"))?.answers, "hostile"))
}

/// Every attack is stopped with these words, and only what the good rules do is left.
fn stopped(attacks: &[(&str, &str)]) -> Result<()> {
    let mut stage = stage()?;
    for (number, (what, expected)) in (1..).zip(attacks) {
        let said = attack(&mut stage, what)?;
        ensure!(said.len() == 1 && said[0].contains(expected), "{what}: {said:?}");
        ensure!(!said[0].contains(char::is_control), "{what}: {said:?}");
        assert_eq!(stage.chat("ann", "?fave pie")?.faves.len(), 1, "{what}");
        stage.engine.commit()?;
        assert_eq!(stage.faves()?, number, "{what}");
    }
    let heat = attacks.len().to_string();
    assert_eq!(stage.output("heat"), Some(heat), "an attack changed what the others show");
    let snapshot = stage.engine.snapshot()?;
    ensure!(snapshot.outbox()?.is_empty());
    let faults = snapshot.records_since(0)?;
    for (what, expected) in attacks {
        let named = faults.iter().any(|record| {
            matches!(record, Record::Fault { channel, slot, cause, .. }
                if channel == CHANNEL && slot == "hostile" && cause.contains(expected))
        });
        ensure!(named, "{what}: the log names neither channel, slot nor reason");
    }
    ensure!(attack(&mut stage, "remember")?.len() == 2, "it does not even do what it may");
    Ok(())
}

#[test]
fn a_call_that_does_not_end_runs_out_of_fuel() -> Result<()> {
    const FUEL: &str = "units of fuel";
    stopped(&[
        ("spin", FUEL),
        ("divide", FUEL),
        ("remainder", FUEL),
        ("root", FUEL),
        ("fill", FUEL),
        ("copy", FUEL),
        ("grow-nothing", FUEL),
        ("get-missing", FUEL),
        ("get-known", FUEL),
        ("get-long", FUEL),
        ("scan", FUEL),
        ("scan-one", FUEL),
        ("scan-nothing", FUEL),
        ("item", FUEL),
        ("item-long", FUEL),
        ("person-item", FUEL),
        ("top-items", FUEL),
        ("top-items-all", FUEL),
        ("top-people", FUEL),
        ("config", FUEL),
        ("config-long", FUEL),
        ("log", FUEL),
        ("log-long", FUEL),
    ])
}

#[test]
fn memory_and_stack_end_where_the_limits_say() -> Result<()> {
    stopped(&[
        ("recurse", "bytes of stack"),
        ("allocate", "bytes of memory"),
        ("leak", "units of fuel"),
        ("grow-refused", "units of fuel"),
        ("grow-little", "bytes of memory"),
    ])
}

#[test]
fn a_trap_is_named_and_so_is_an_answer_that_lies() -> Result<()> {
    stopped(&[
        ("trap", "it trapped"),
        ("deep-trap", "it trapped"),
        ("error", "it answered with an error: on [2J purpose ERROR forged line"),
        ("error-not-utf8", "it trapped"),
        ("error-claimed", "it trapped"),
        ("claim-effects", "bytes of memory"),
        ("claim-text", "it trapped"),
        ("not-utf8", "it trapped"),
    ])
}

#[test]
fn effects_that_are_too_many_too_large_or_of_another_role_are_refused() -> Result<()> {
    stopped(&[
        ("million", "bytes of memory"),
        ("thousands", "handed over more than"),
        ("hundreds", "it has 1001 effects, and the limit is 256"),
        ("forge", "`fave` is not for a formula"),
        ("weigh", "`weigh` is not for a formula"),
        ("drop", "`drop` is not for a formula"),
        ("show heat", "the output heat belongs to the rule in slot decay"),
        ("show ../heat", "is not named with"),
        ("show heat/v1", "is not named with"),
        ("show +", "is not named with"),
        ("show a\u{1}b", "is not named with"),
        ("show", "is not named with"),
        ("many-outputs", "more than 64 outputs"),
        ("say", "the text of the chat line has control characters"),
        ("say-much", "it says 100 lines in chat, and the limit is 8"),
        ("clip", "the text of the title has control characters"),
        ("publish-large lights", "a payload of 100000 bytes is longer than 65536"),
    ])
}

#[test]
fn a_trap_on_every_second_call_costs_the_calls_between_nothing() -> Result<()> {
    let mut stage = stage()?;
    for round in 0..20 {
        stage.wait(1)?;
        assert_eq!(attack(&mut stage, "remember")?.len(), 2, "{round}");
        ensure!(attack(&mut stage, "trap")?[0].contains("it trapped"), "{round}");
    }
    stage.engine.commit()?;
    let faults = stage.engine.snapshot()?.records_since(0)?;
    let faults = faults.iter().filter(|record| matches!(record, Record::Fault { .. })).count();
    assert_eq!(faults, 20);
    Ok(())
}

#[test]
fn keys_without_end_stop_at_the_limit_and_can_be_removed_again() -> Result<()> {
    let limits = Limits { state_keys: 1000, ..patient() };
    let mut stage = Stage::with(vec![plain("hostile")], limits, Store::in_memory()?)?;
    for group in ["a", "b", "c"] {
        assert_eq!(attack(&mut stage, &format!("keys {group}"))?.len(), 251);
    }
    let refused = attack(&mut stage, "keys d")?;
    ensure!(refused.len() == 1 && refused[0].contains("more than 1000 keys"), "{refused:?}");
    assert_eq!(attack(&mut stage, "delete-keys b")?.len(), 251);
    assert_eq!(attack(&mut stage, "keys d")?.len(), 251);
    Ok(())
}

#[test]
fn a_scan_pays_also_for_what_was_deleted_a_moment_ago() -> Result<()> {
    let mut stage = Stage::new(vec![plain("hostile")])?;
    for group in 0..200 {
        assert_eq!(attack(&mut stage, &format!("keys {group}"))?.len(), 251);
    }
    stage.engine.commit()?;
    for group in 0..200 {
        assert_eq!(attack(&mut stage, &format!("delete-keys {group}"))?.len(), 251);
    }
    // 50,000 keys are hidden, and one scan for the one behind them looks at all of them.
    ensure!(attack(&mut stage, "one-scan")?[0].contains("units of fuel"));
    stage.engine.commit()?;
    assert_eq!(attack(&mut stage, "one-scan")?.len(), 1, "after the commit they are gone");
    Ok(())
}
