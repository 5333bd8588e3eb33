//! Another rule in a slot while events come: nothing is lost, a bad rule is rolled back, and the later change wins after a restart.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use heat_engine::{Action, Chain, ChangeRequest, Engine, Given, Rule, Status, Store};

use crate::stage::{CHANNEL, START, Stage, lines, loaded, patient, plain, sandbox};

fn half_life(text: &str) -> Vec<(String, Given)> {
    vec![("half_life".to_owned(), Given::Text(text.to_owned()))]
}

#[test]
fn other_settings_go_on_with_the_state_before() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    for name in ["ann", "bob", "cy", "dee"] {
        stage.chat(name, "?fave")?;
    }
    stage.swap("decay", "decay", &half_life("1h"))?;
    assert_eq!(stage.output("heat").as_deref(), Some("4"), "nothing flickers");
    stage.chat("eve", "?fave")?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("5"));
    stage.wait(3_600_000)?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("2"), "half of five");
    Ok(())
}

#[test]
fn another_half_life_holds_from_the_change_on() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    for number in 0..8 {
        stage.chat(&format!("person{number}"), "?fave")?;
    }
    stage.wait(600_000)?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("4"));
    stage.swap("decay", "decay", &half_life("1h"))?;
    stage.chat("eve", "?fave")?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("5"), "nothing of it comes back");
    Ok(())
}

#[test]
fn the_rule_before_goes_on_and_rolling_back_loses_nothing() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    stage.chat("ann", "?fave")?;
    // Heat that is gone at once.
    stage.swap("decay", "decay", &half_life("1s"))?;
    assert_eq!(stage.standing("decay"), Some(("probation", "decay".to_owned())));
    for name in ["bob", "cy", "dee"] {
        stage.chat(name, "?fave")?;
    }
    stage.wait(30_000)?;
    stage.engine.commit()?;
    assert_ne!(stage.output("heat").as_deref(), Some("4"));
    let order = ChangeRequest::new(Action::RollBack, "test", "");
    stage.engine.roll_back(&CHANNEL.into(), "decay", &order)?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("4"), "as if it had been live all the time");
    stage.chat("eve", "?fave")?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("5"));
    assert_eq!(stage.standing("decay"), Some(("live", "decay".to_owned())));
    assert_eq!(stage.faves()?, 5);
    Ok(())
}

#[test]
fn a_rule_that_fails_on_probation_is_rolled_back_by_itself() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    stage.swap("fave", "misbehave", &[])?;
    for _ in 0..2 {
        stage.chat("ann", "!do panic")?;
    }
    assert_eq!(stage.standing("fave"), Some(("probation", "misbehave".to_owned())));
    stage.chat("ann", "!do panic")?;
    assert_eq!(stage.standing("fave"), Some(("live", "fave".to_owned())));
    let decision = stage.chat("ann", "?fave")?;
    ensure!(lines(&decision.answers, "decay").contains(&"show heat \"1\"".to_owned()));
    stage.engine.commit()?;
    let audit = stage.engine.snapshot()?.audit(1)?;
    assert_eq!((audit[0].1.action, audit[0].1.by.as_str()), (Action::RollBack, "heatd"));
    ensure!(audit[0].1.note.contains("trapped"), "{audit:?}");
    Ok(())
}

#[test]
fn a_rule_that_fails_again_and_again_is_turned_off_and_its_events_can_be_run_again() -> Result<()> {
    let mut stage = Stage::new(vec![plain("misbehave"), plain("decay")])?;
    for _ in 0..9 {
        stage.chat("ann", "!do panic")?;
    }
    assert_eq!(stage.standing("misbehave").map(|it| it.0), Some("live"));
    stage.chat("ann", "!do panic")?;
    assert_eq!(stage.standing("misbehave").map(|it| it.0), Some("quarantined"));
    assert!(stage.chat("ann", "!do fine")?.answers.is_empty(), "it is not called any more");
    stage.engine.commit()?;
    let letters = stage.engine.snapshot()?.dead_letters()?;
    assert_eq!((letters.len(), letters[0].1.slot.as_str()), (10, "misbehave"));

    let order = ChangeRequest::new(Action::Enable, "test", "");
    stage.engine.set_status(&CHANNEL.into(), "misbehave", Status::On, &order)?;
    let again = stage.engine.retry(letters[0].0, &letters[0].1)?;
    ensure!(again.answers[0].outcome.is_err(), "it panics as before");
    stage.engine.commit()?;
    assert_eq!(
        stage.engine.snapshot()?.dead_letters()?.len(),
        10,
        "the old letter went, a new one came"
    );
    Ok(())
}

#[test]
fn what_is_written_while_a_swap_is_prepared_is_migrated_once_more() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), ("total", "totals-one", Vec::new())])?;
    stage.chat("ann", "?fave pie")?;
    stage.engine.commit()?;
    let begun = stage.engine.begin(CHANNEL, "total")?;
    let rule = Rule::new(&*sandbox()?, &Arc::new(patient()), &loaded("totals-two")?, &[])?;
    let swap = begun.prepare(&*sandbox()?, rule)?;
    stage.chat("bob", "?fave pie")?;
    stage.chat("cy", "?fave cake")?;
    stage.engine.flip(swap, &ChangeRequest::new(Action::Deploy, "test", ""))?;
    let mut whole = Stage::new(vec![plain("fave"), ("total", "totals-one", Vec::new())])?;
    for (name, text) in [("ann", "?fave pie"), ("bob", "?fave pie"), ("cy", "?fave cake")] {
        whole.chat(name, text)?;
    }
    whole.swap("total", "totals-two", &[])?;
    let next = stage.chat("dee", "?fave pie")?;
    assert_eq!(
        lines(&next.answers, "total"),
        lines(&whole.chat("dee", "?fave pie")?.answers, "total")
    );
    Ok(())
}

#[test]
fn a_state_is_copied_in_parts_with_what_changes_meanwhile() -> Result<()> {
    let parts = || vec![plain("fave"), plain("crowd")];
    let (mut stage, mut whole) = (Stage::new(parts())?, Stage::new(parts())?);
    let mut both = |stage: &mut Stage, person: u64| -> Result<()> {
        for stage in [stage, &mut whole] {
            stage.wait(100)?;
            stage.chat(&format!("person{person}"), "hello")?;
        }
        Ok(())
    };
    (0..20).try_for_each(|person| both(&mut stage, person))?;
    stage.engine.commit()?;
    let begun = stage.engine.begin(CHANNEL, "crowd")?;
    let rule = Rule::new(&*sandbox()?, &Arc::new(patient()), &loaded("crowd")?, &[])?;
    let mut swap = begun.prepare(&*sandbox()?, rule)?;
    (15..40).try_for_each(|person| both(&mut stage, person))?;
    let mut steps = 0;
    while !stage.engine.copy(&mut swap, 10)? {
        steps += 1;
        both(&mut stage, 40 + steps % 2)?;
        stage.engine.commit()?;
    }
    ensure!(steps > 8, "{steps} steps for 41 entries, and for 80 changes");
    stage.engine.flip(swap, &ChangeRequest::new(Action::Deploy, "test", ""))?;
    both(&mut stage, 50)?;
    stage.engine.commit()?;
    whole.engine.commit()?;
    assert_eq!(stage.output("crowd").as_deref(), Some("43"));
    for _ in 0..70 {
        stage.wait(1_000)?;
        whole.wait(1_000)?;
        stage.engine.commit()?;
        whole.engine.commit()?;
        assert_eq!(stage.output("crowd"), whole.output("crowd"));
    }
    assert_eq!(stage.output("crowd").as_deref(), Some("0"));
    Ok(())
}

#[test]
fn what_cannot_be_swapped_says_why_and_changes_nothing() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    let refusal = |result: Result<()>| result.unwrap_err().to_string();
    let unknown = refusal(stage.swap("heat", "decay", &[]));
    ensure!(unknown.contains("no slot \"heat\"; it has fave, decay"), "{unknown}");
    let role = refusal(stage.swap("decay", "fave", &[]));
    ensure!(role.contains("it is a handler, and the slot decay is for a formula"), "{role}");
    let begun = stage.engine.begin(CHANNEL, "decay")?;
    let twice = refusal(stage.swap("decay", "decay", &half_life("1h")));
    ensure!(twice.contains("another change of the slot decay is under way"), "{twice}");
    stage.engine.give_up(CHANNEL, "decay", begun.ticket() + 1);
    let another = refusal(stage.swap("decay", "decay", &half_life("1h")));
    ensure!(another.contains("under way"), "only its own swap is given up: {another}");
    stage.engine.give_up(CHANNEL, "decay", begun.ticket());
    stage.swap("decay", "decay", &half_life("1h"))
}

#[test]
fn a_swap_that_was_left_behind_takes_nothing_from_the_one_that_came_after_it() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), ("total", "totals-one", Vec::new())])?;
    stage.chat("ann", "?fave pie")?;
    stage.engine.commit()?;
    let rule = Rule::new(&*sandbox()?, &Arc::new(patient()), &loaded("totals-two")?, &[])?;
    let first = stage.engine.begin(CHANNEL, "total")?.prepare(&*sandbox()?, rule.clone())?;
    for (action, status) in [(Action::Disable, Status::Disabled), (Action::Enable, Status::On)] {
        let order = ChangeRequest::new(action, "test", "");
        stage.engine.set_status(&CHANNEL.into(), "total", status, &order)?;
    }
    stage.chat("bob", "?fave pie")?;
    stage.engine.commit()?;
    let second = stage.engine.begin(CHANNEL, "total")?.prepare(&*sandbox()?, rule)?;
    stage.chat("cy", "?fave pie")?;
    let order = ChangeRequest::new(Action::Deploy, "test", "");
    let refused = stage.engine.flip(first, &order).unwrap_err().to_string();
    ensure!(refused.contains("was changed meanwhile"), "{refused}");
    stage.engine.flip(second, &order)?;
    stage.engine.commit()?;
    stage.engine.commit()?;
    let decision = stage.chat("dee", "?fave pie")?;
    let shown = lines(&decision.answers, "total");
    ensure!(shown.iter().any(|line| line.contains('4')), "all four count: {shown:?}");
    Ok(())
}

/// Opens the store with `decay` as the configuration has it, and says what runs in its slot.
fn reopen(file: &Path, configured: &[(String, Given)], pinned: bool) -> Result<(Stage, String)> {
    let rule = |name: &str, settings: &[(String, Given)]| {
        anyhow::Ok(Rule::new(&*sandbox()?, &Arc::new(patient()), &loaded(name)?, settings)?)
    };
    let decay = rule("decay", configured)?;
    let decay = if pinned { decay.pinned() } else { decay };
    let rules = vec![("fave".to_owned(), rule("fave", &[])?), ("decay".to_owned(), decay)];
    let chain = Chain { channel: CHANNEL.to_owned(), rules };
    let engine = Engine::open(sandbox()?, Store::open(file)?, vec![chain], START)?;
    let live = engine.chains().flat_map(|(_, rules)| rules).find(|(slot, _)| ***slot == *"decay");
    let given = live.map(|(_, rule)| format!("{:?}", rule.given())).unwrap_or_default();
    Ok((Stage::over(engine), given))
}

#[test]
fn after_a_restart_the_later_of_configuration_and_live_change_holds() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let configured = half_life("5m");
    let (mut stage, _) = reopen(&file, &configured, false)?;
    stage.swap("decay", "decay", &half_life("7m"))?;
    drop(stage);
    let (stage, live) = reopen(&file, &configured, false)?;
    ensure!(live.contains("7m"), "the live change holds: {live}");
    drop(stage);
    let (stage, live) = reopen(&file, &half_life("9m"), false)?;
    ensure!(live.contains("9m"), "the configuration was changed later: {live}");
    drop(stage);
    let (mut stage, live) = reopen(&file, &configured, false)?;
    ensure!(live.contains("5m"), "the live change is forgotten: {live}");
    stage.swap("decay", "decay", &half_life("7m"))?;
    drop(stage);
    let (mut stage, live) = reopen(&file, &configured, true)?;
    ensure!(live.contains("5m"), "the configuration alone decides: {live}");
    let refused = stage.swap("decay", "decay", &half_life("8m")).unwrap_err().to_string();
    ensure!(refused.contains("it alone decides"), "{refused}");
    Ok(())
}

#[test]
fn a_rule_that_was_turned_off_stays_off_and_its_outputs_are_gone_until_it_is_on() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let (mut stage, _) = reopen(&file, &[], false)?;
    stage.chat("ann", "?fave")?;
    let order = ChangeRequest::new(Action::Disable, "test", "");
    stage.engine.set_status(&CHANNEL.into(), "decay", Status::Disabled, &order)?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat"), None);
    drop(stage);
    let (mut stage, _) = reopen(&file, &[], false)?;
    assert_eq!(stage.standing("decay").map(|it| it.0), Some("disabled"));
    let order = ChangeRequest::new(Action::Enable, "test", "");
    stage.engine.set_status(&CHANNEL.into(), "decay", Status::On, &order)?;
    stage.now += 1;
    stage.chat("bob", "?fave")?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("2"), "its state was kept");
    Ok(())
}

#[test]
fn after_the_probation_the_rule_stays_and_nothing_of_the_one_before_is_left() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    stage.chat("ann", "?fave")?;
    stage.engine.commit()?;
    let (before, ..) = stage.engine.snapshot()?.rows()?;
    stage.swap("decay", "decay", &half_life("1h"))?;
    let (both, ..) = stage.engine.snapshot()?.rows()?;
    ensure!(both > before, "each has its own");
    stage.wait(700_000)?;
    stage.engine.commit()?;
    stage.engine.commit()?;
    assert_eq!(stage.standing("decay").map(|it| it.0), Some("live"));
    assert_eq!(stage.engine.snapshot()?.rows()?.0, before);
    let order = ChangeRequest::new(Action::RollBack, "test", "");
    let refused = stage.engine.roll_back(&CHANNEL.into(), "decay", &order).unwrap_err();
    ensure!(refused.to_string().contains("no rule on probation"), "{refused}");
    Ok(())
}
