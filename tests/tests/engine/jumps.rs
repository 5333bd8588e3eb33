//! Time that jumps: ahead by a day, when a clock was set, and back, which the engine does not follow.

use anyhow::{Result, ensure};
use heat_engine::Record;

use crate::stage::{CHANNEL, START, Stage, plain};

const DAY: u64 = 86_400_000;

#[test]
fn a_day_that_passes_at_once_fires_each_timer_once_and_leaves_no_heat() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay"), plain("crowd")])?;
    for number in 0..20 {
        stage.chat(&format!("person{number}"), "?fave")?;
    }
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("20"));
    let decisions = stage.engine.fire(stage.now + DAY)?;
    // One timer for each of the two formulas, and not one for each number that the heat comes by.
    ensure!((1..=2).contains(&decisions.len()), "{} timers", decisions.len());
    ensure!(stage.engine.fire(stage.now + DAY)?.is_empty(), "timers fire again at once");
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("0"));
    assert_eq!(stage.faves()?, 20);
    Ok(())
}

#[test]
fn events_of_a_time_that_has_been_are_events_of_now() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("decay")])?;
    stage.chat("ann", "?fave")?;
    let ahead = stage.now;
    for (number, back) in [DAY, 1, 7_200_000].into_iter().enumerate() {
        stage.now = ahead - back;
        stage.chat(&format!("person{number}"), "?fave")?;
        ensure!(stage.engine.fire(stage.now)?.is_empty(), "a timer came due in the past");
    }
    stage.engine.commit()?;
    assert_eq!((stage.faves()?, stage.output("heat").as_deref()), (4, Some("4")));
    let records = stage.engine.snapshot()?.records_since(START)?;
    let times: Vec<u64> = records.iter().map(Record::at).collect();
    ensure!(times.is_sorted() && times.last() == Some(&ahead), "{times:?}");
    ensure!(records.iter().all(|record| record.channel() == CHANNEL));
    Ok(())
}
