//! What the engine promises of one event: three phases, one overlay, a count before the formula.

use anyhow::Result;
use heat_engine::wit::Happening;
use heat_engine::{Given, Limits, Record, Store};

use crate::stage::{START, Stage, chat_line, lines, plain};

fn text(text: &str) -> Given {
    Given::Text(text.to_owned())
}

#[test]
fn a_fave_is_counted_before_the_formula_sees_it() -> Result<()> {
    let mut stage = Stage::new(vec![plain("witness"), plain("fave")])?;
    let decision = stage.chat("ann", "?fave pie")?;
    assert_eq!(decision.faves.len(), 1);
    assert_eq!(
        lines(&decision.answers, "witness"),
        ["show seen \"1 faves of 1 people, 1 for pie\""]
    );
    let decision = stage.chat("ann", "?fave pie")?;
    assert_eq!(
        lines(&decision.answers, "witness"),
        ["show seen \"2 faves of 1 people, 2 for pie\""]
    );
    Ok(())
}

#[test]
fn multipliers_weigh_in_the_configured_order_and_may_drop() -> Result<()> {
    let weigher =
        |slot, times: i64| (slot, "weigher", vec![("times".to_owned(), Given::Integer(times))]);
    let mut stage = Stage::new(vec![plain("fave"), weigher("double", 2), weigher("triple", 3)])?;
    assert_eq!(stage.chat("ann", "?fave pie")?.faves[0].weight, 6000);
    let decision = stage.chat("ann", "?fave nothing")?;
    assert_eq!(lines(&decision.answers, "double"), ["drop"]);
    assert_eq!(lines(&decision.answers, "triple"), Vec::<String>::new());
    assert!(decision.faves.is_empty());
    stage.engine.commit()?;
    assert_eq!(stage.faves()?, 1);
    Ok(())
}

#[test]
fn ordinary_chat_calls_no_rule() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    for line in ["hello", "I say ?fave", "?favela", ""] {
        assert!(stage.chat("ann", line)?.answers.is_empty(), "{line}");
    }
    assert_eq!(stage.chat("ann", "  ?FAVE   pie  ")?.faves[0].item, "pie");
    Ok(())
}

#[test]
fn an_event_that_is_told_twice_counts_once_also_after_a_restart() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let event = heat_engine::wit::Event {
        id: "the-same".to_owned(),
        channel: "seaside".to_owned(),
        at: START,
        what: Happening::Chat(chat_line("ann", "?fave")),
    };
    for round in 0..2 {
        let mut stage = Stage::with(vec![plain("fave")], Limits::default(), Store::open(&file)?)?;
        assert_eq!(stage.engine.handle(START, event.clone())?.duplicate, round == 1);
        assert!(stage.engine.handle(START, event.clone())?.duplicate);
        stage.engine.commit()?;
        assert_eq!(stage.faves()?, 1);
    }
    Ok(())
}

#[test]
fn the_same_events_give_the_same_state_in_groups_of_1_and_of_64() -> Result<()> {
    let run = |instance_events, commit_every| -> Result<_> {
        let limits = Limits { instance_events, ..Limits::default() };
        let settings = vec![("words".to_owned(), Given::List(vec![text("LUL")]))];
        let parts = vec![("fave", "fave", settings), plain("decay")];
        let mut stage = Stage::with(parts, limits, Store::in_memory()?)?;
        for number in 0..200u64 {
            let line = ["?fave pie", "hello", "so LUL", "?fave  cake"][number as usize % 4];
            stage.chat(["ann", "bob", "cat"][number as usize % 3], line)?;
            stage.wait(number * 37 % 3000)?;
            if number % commit_every == 0 {
                stage.engine.commit()?;
            }
        }
        stage.engine.commit()?;
        let snapshot = stage.engine.snapshot()?;
        let records: Vec<Record> = snapshot.records_since(0)?;
        Ok((
            stage.engine.outputs().clone(),
            snapshot.channel_tally("seaside")?,
            snapshot.rows()?.0,
            records,
        ))
    };
    let one = run(1, 1)?;
    let many = run(64, 50)?;
    assert_eq!(one.0, many.0);
    assert_eq!((one.1, one.2), (many.1, many.2));
    assert_eq!(one.3, many.3);
    assert_eq!(one.1.faves, 150);
    Ok(())
}

#[test]
fn a_timer_is_kept_over_a_restart_and_fires_once_with_the_true_time() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let mut stage =
        Stage::with(vec![plain("fave"), plain("decay")], Limits::default(), Store::open(&file)?)?;
    stage.chat("ann", "?fave")?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("1"));
    drop(stage);

    let mut stage =
        Stage::with(vec![plain("fave"), plain("decay")], Limits::default(), Store::open(&file)?)?;
    assert_eq!(stage.output("heat").as_deref(), Some("1"));
    let late = START + 86_400_000;
    assert!(stage.engine.next_wake().is_some_and(|at| at < late));
    assert_eq!(stage.engine.fire(late)?.len(), 1);
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("0"));
    assert_eq!(stage.engine.next_wake(), None);
    Ok(())
}

#[test]
fn time_never_runs_backwards_within_a_channel() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    stage.chat("ann", "?fave")?;
    stage.now -= 3_600_000;
    stage.chat("bob", "?fave")?;
    stage.engine.commit()?;
    let times: Vec<u64> =
        stage.engine.snapshot()?.records_since(START)?.iter().map(Record::at).collect();
    // The record of the chain, and the two lines with their faves.
    assert_eq!(times, [START; 5]);
    Ok(())
}

#[test]
fn a_formula_reads_what_the_ones_before_it_show() -> Result<()> {
    let doubled = |parts: Vec<crate::stage::Part>| -> Result<Vec<Option<String>>> {
        let mut stage = Stage::new(parts)?;
        let mut seen = Vec::new();
        for login in ["ann", "bob"] {
            stage.chat(login, "?fave")?;
            stage.engine.commit()?;
            seen.push(stage.output("double"));
        }
        assert_eq!(stage.output("stream-seen").as_deref(), Some("false"));
        Ok(seen)
    };
    let text = |text: &str| Some(text.to_owned());
    let still = || ("decay", "decay", vec![("half_life".to_owned(), self::text("0s"))]);
    // Behind it in the chain it sees the same fave, before it the one before.
    let behind = doubled(vec![plain("fave"), still(), plain("doubler")])?;
    assert_eq!(behind, [text("2"), text("4")]);
    let before = doubled(vec![plain("fave"), plain("doubler"), still()])?;
    assert_eq!(before, [text("nothing"), text("2")]);
    let alone = doubled(vec![plain("fave"), plain("doubler")])?;
    assert_eq!(alone, [text("nothing"), text("nothing")]);
    Ok(())
}
