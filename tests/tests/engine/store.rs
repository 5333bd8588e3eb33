//! What the store keeps: state by generation, outputs of rules that are gone, the outbox, the schema version.

use anyhow::{Context, Result, ensure};
use heat_engine::{Limits, Record, Store, StoreError};

use crate::power::kept;
use crate::stage::{START, Stage, lines, patient, plain};

#[test]
fn outputs_of_a_rule_that_is_gone_are_taken_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let mut stage =
        Stage::with(vec![plain("fave"), plain("decay")], Limits::default(), Store::open(&file)?)?;
    stage.chat("ann", "?fave")?;
    stage.engine.commit()?;
    assert_eq!(stage.output("heat").as_deref(), Some("1"));
    drop(stage);
    let stage = Stage::with(vec![plain("fave")], Limits::default(), Store::open(&file)?)?;
    let outputs: Vec<_> =
        stage.engine.outputs().iter().map(|((_, name), text)| (name.as_str(), text)).collect();
    let (standings, outputs): (Vec<_>, Vec<_>) =
        outputs.into_iter().partition(|(name, _)| name.starts_with("rules/"));
    assert!(matches!(standings[..], [("rules/decay", None), ("rules/fave", Some(_))]));
    assert_eq!(
        outputs,
        [("heat", &None), ("record", &None), ("stream", &Some("unknown".to_owned()))]
    );
    Ok(())
}

#[test]
fn state_of_an_older_version_is_rewritten_into_a_new_generation() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let open = |guest| {
        Stage::with(
            vec![plain("fave"), ("total", guest, Vec::new())],
            Limits::default(),
            Store::open(&file)?,
        )
    };
    let mut stage = open("totals-one")?;
    stage.chat("ann", "?fave pie")?;
    let decision = stage.chat("ann", "?fave pie")?;
    ensure!(lines(&decision.answers, "total").contains(&"show total \"2\"".to_owned()));
    stage.engine.commit()?;
    drop(stage);

    let mut stage = open("totals-two")?;
    stage.wait(1)?;
    let decision = stage.chat("ann", "?fave pie")?;
    ensure!(
        lines(&decision.answers, "total").contains(&"show total \"3 in all\"".to_owned()),
        "{decision:?}"
    );
    stage.engine.commit()?;
    drop(stage);

    let error = open("totals-one").err().map(|error| error.to_string()).unwrap_or_default();
    ensure!(error.contains("state version 2, and the component knows versions up to 1"), "{error}");
    Ok(())
}

#[test]
fn a_message_stays_in_the_outbox_until_it_is_acknowledged_also_over_a_restart() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let open =
        || Stage::with(vec![plain("fave"), plain("publisher")], patient(), Store::open(&file)?);
    let mut stage = open()?;
    stage.chat("ann", "?fave pie")?;
    ensure!(stage.engine.snapshot()?.outbox()?.is_empty(), "it left before the commit");
    let committed = stage.engine.commit()?;
    assert_eq!(committed.messages.len(), 1);
    assert_eq!(committed.says[0].text, "ann faved pie");
    drop(stage);
    let mut stage = open()?;
    let waiting = stage.engine.snapshot()?.outbox()?;
    assert_eq!(waiting, [(committed.messages[0].0, "lights/flash".to_owned(), b"pie".to_vec())]);
    stage.engine.sent(waiting[0].0)?;
    stage.engine.commit()?;
    ensure!(stage.engine.snapshot()?.outbox()?.is_empty());
    Ok(())
}

#[test]
fn a_store_is_open_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let _first = Store::open(&file)?;
    ensure!(matches!(Store::open(&file), Err(StoreError::InUse)));
    Ok(())
}

#[test]
fn old_blocks_of_the_log_go_and_new_ones_stay() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    for _ in 0..3 {
        stage.chat("ann", "hello")?;
        stage.engine.commit()?;
        stage.wait(3_600_000)?;
    }
    // The block of the chain and that of the first line are older than this; what was live then is still told.
    assert_eq!(stage.engine.expire_log(START + 1)?, 2);
    let left = stage.engine.snapshot()?.records_since(0)?;
    ensure!(matches!(left[0], Record::Chain { .. }) && left.len() == 3, "{left:?}");
    assert_eq!(stage.engine.expire_log(START + 1)?, 0);
    assert_eq!(stage.engine.snapshot()?.records_since(0)?.len(), 3);
    Ok(())
}

#[test]
fn a_backup_is_of_one_moment_however_long_it_takes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("copy.redb");
    let mut stage = Stage::new(vec![plain("fave"), plain("decay"), plain("publisher")])?;
    let mut faved = |times: usize| -> Result<heat_engine::Snapshot> {
        for number in 0..times {
            stage.chat(&format!("person{number}"), &format!("?fave item {number}"))?;
            stage.engine.commit()?;
        }
        Ok(stage.engine.snapshot()?)
    };
    let moment = faved(300)?;
    let (mut told, mut later) = (Vec::new(), None);
    let contents = moment.back_up(&file, &mut |done, of| {
        told.push((done, of));
        // The engine goes on meanwhile.
        later.get_or_insert_with(|| faved(20));
        true
    })?;
    let later = later.context("nobody was told how far it is")??;
    ensure!(later.contents()?.faves == [("seaside".to_owned(), 320)]);
    ensure!(contents.faves == [("seaside".to_owned(), 300)]);
    ensure!(told.iter().any(|(done, of)| *done > 0 && done <= of), "{told:?}");
    ensure!(kept(&Store::open(&file)?.snapshot()?)? == kept(&moment)?);
    // Nothing is overwritten, and what is broken off is no store.
    ensure!(moment.back_up(&file, &mut |_, _| true).is_err());
    let half = folder.path().join("half.redb");
    let error = moment.back_up(&half, &mut |done, _| done == 0).err();
    ensure!(matches!(error, Some(StoreError::BrokenOff)), "{error:?}");
    Ok(())
}
