//! What the rules of this repository remember: it outlives a restart, and does not grow for ever.

use anyhow::{Result, ensure};
use heat_engine::wit::Happening;
use heat_engine::{Decision, Given, Store};

use crate::stage::{Part, Stage, lines, patient, plain};

fn text(text: &str) -> Given {
    Given::Text(text.to_owned())
}

fn fave(settings: &[(&str, Given)]) -> Part {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    ("fave", "fave", settings.collect())
}

fn moderator(stage: &mut Stage, order: &str) -> Result<Decision> {
    stage.event(Happening::Chat(
        heat_engine::cases::chat_line("mona (moderator)", order).map_err(anyhow::Error::msg)?,
    ))
}

/// Rows of the rules' state, as committed.
fn state_rows(stage: &mut Stage) -> Result<u64> {
    stage.engine.commit()?;
    Ok(stage.engine.snapshot()?.rows()?.0)
}

#[test]
fn cooldown_pause_boost_and_record_outlive_a_restart() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let open = |later| -> Result<Stage> {
        let chain =
            vec![fave(&[("user_cooldown", text("1m"))]), plain("multiplier"), plain("decay")];
        let mut stage = Stage::with(chain, patient(), Store::open(&file)?)?;
        stage.wait(later)?;
        Ok(stage)
    };
    let mut stage = open(0)?;
    moderator(&mut stage, "?heat boost 3 10m")?;
    assert_eq!(stage.chat("ann", "?fave")?.faves[0].weight, 3000);
    stage.engine.commit()?;
    drop(stage);

    let mut stage = open(30_000)?;
    ensure!(stage.chat("ann", "?fave")?.faves.is_empty(), "the cooldown is forgotten");
    assert_eq!(stage.chat("bob", "?fave")?.faves[0].weight, 3000);
    moderator(&mut stage, "?heat pause")?;
    stage.engine.commit()?;
    assert_eq!(stage.output("record").as_deref(), Some("6"));
    drop(stage);

    let mut stage = open(9 * 60_000)?;
    ensure!(stage.chat("ann", "?fave")?.faves.is_empty(), "the pause is forgotten");
    moderator(&mut stage, "?heat resume")?;
    assert_eq!(stage.chat("ann", "?fave")?.faves[0].weight, 3000);
    stage.engine.commit()?;
    assert_eq!(stage.output("record").as_deref(), Some("6"));
    drop(stage);

    let mut stage = open(11 * 60_000)?;
    assert_eq!(stage.chat("ann", "?fave")?.faves[0].weight, 1000);
    Ok(())
}

#[test]
fn people_whose_cooldown_is_over_are_forgotten_however_many_there_were() -> Result<()> {
    let mut stage = Stage::new(vec![fave(&[("user_cooldown", text("30s"))])])?;
    let before = state_rows(&mut stage)?;
    for number in 0..450 {
        stage.chat(&format!("viewer{number}"), "?fave")?;
    }
    ensure!(state_rows(&mut stage)? >= before + 450);
    stage.wait(29_000)?;
    stage.chat("late", "?fave")?;
    stage.wait(20_000)?;
    ensure!(stage.chat("late", "?fave")?.faves.is_empty(), "it was forgotten too early");
    ensure!(state_rows(&mut stage)? < before + 10, "{}", state_rows(&mut stage)?);
    stage.wait(120_000)?;
    assert_eq!(state_rows(&mut stage)?, before);
    assert_eq!(stage.engine.next_wake(), None);
    Ok(())
}

#[test]
fn what_people_faved_in_a_stream_is_forgotten_with_the_next() -> Result<()> {
    let mut stage = Stage::new(vec![fave(&[("repeats", text("once_per_stream"))])])?;
    stage.event(Happening::StreamStart)?;
    stage.wait(1000)?;
    let before = state_rows(&mut stage)?;
    for number in 0..250 {
        let login = format!("viewer{number}");
        assert_eq!(stage.chat(&login, "?fave pie")?.faves.len(), 1);
        ensure!(stage.chat(&login, "?fave pie")?.faves.is_empty());
    }
    stage.wait(3_600_000)?;
    ensure!(state_rows(&mut stage)? >= before + 250);
    stage.event(Happening::StreamEnd)?;
    stage.wait(3_600_000)?;
    stage.event(Happening::StreamStart)?;
    assert_eq!(stage.chat("viewer0", "?fave pie")?.faves.len(), 1);
    stage.wait(5000)?;
    assert_eq!(state_rows(&mut stage)?, before + 1);
    ensure!(stage.chat("viewer0", "?fave pie")?.faves.is_empty());
    assert_eq!(stage.engine.next_wake(), None);
    Ok(())
}

#[test]
fn somebody_who_faves_very_many_items_takes_little_room() -> Result<()> {
    let mut stage = Stage::new(vec![fave(&[("repeats", text("once_per_stream"))])])?;
    for number in 0..150 {
        let decision = stage.chat("ann", &format!("?fave item {number}"))?;
        ensure!(lines(&decision.answers, "fave").iter().all(|line| !line.contains("fails")));
        for line in lines(&decision.answers, "fave").iter().filter(|line| line.starts_with("put")) {
            let size: usize =
                line.split(['(', ' ']).filter_map(|word| word.parse().ok()).max().unwrap_or(0);
            ensure!(size <= 1000, "{line}");
        }
    }
    ensure!(stage.chat("ann", "?fave item 149")?.faves.is_empty());
    Ok(())
}

#[test]
fn a_clock_that_jumps_holds_nobody_up_for_longer_than_the_cooldown() -> Result<()> {
    let mut stage = Stage::new(vec![fave(&[("user_cooldown", text("1m"))])])?;
    assert_eq!(stage.chat("ann", "?fave")?.faves.len(), 1);
    // Back: for the engine no time passes.
    stage.now -= 3_600_000;
    ensure!(stage.chat("ann", "?fave")?.faves.is_empty());
    stage.now += 3_600_000 + 60_000;
    assert_eq!(stage.chat("ann", "?fave")?.faves.len(), 1);
    // Years ahead, and on from there.
    stage.now += 3_000 * 86_400_000;
    assert_eq!(stage.chat("ann", "?fave")?.faves.len(), 1);
    stage.now += 60_000;
    assert_eq!(stage.chat("ann", "?fave")?.faves.len(), 1);
    Ok(())
}
