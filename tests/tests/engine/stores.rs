//! Stores that earlier versions of the schema have written are taken over whole; one of a later version is refused. The stores are in
//! tests/stores, and its README says how each was made.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use heat_engine::wit::{ChatLine, Happening, Person};
use heat_engine::{CountKind, Record, SCHEMA_VERSION, Snapshot, Store, StoreError};
use tempfile::TempDir;

use crate::stage::{CHANNEL, START, Stage, chat_line, patient, plain, root};

/// The store that this version of the schema has written, unpacked.
fn unpacked(schema: u64) -> Result<TempDir> {
    let file = root().join("tests/stores").join(format!("schema-{schema}.redb.zst"));
    let packed = std::fs::read(&file).with_context(|| file.display().to_string())?;
    ensure!(packed.len() < 30_000, "{} is too large for the repository", file.display());
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("heat.redb"), zstd::decode_all(&packed[..])?)?;
    Ok(folder)
}

fn open(file: &Path) -> Result<Stage> {
    let parts = vec![
        plain("fave"),
        plain("decay"),
        plain("publisher"),
        ("total", "totals-one", Vec::new()),
    ];
    Stage::with(parts, patient(), Store::open(file)?)
}

/// What is counted of an item, or of a person.
fn tally(snapshot: &Snapshot, kind: CountKind, name: &str) -> Result<(u64, i64, u32)> {
    let counts = snapshot.counts_of(CHANNEL)?;
    let is_it = |login: Option<&str>, item: &str| login.unwrap_or(item) == name;
    let found = counts.iter().find(|it| {
        it.kind == kind && is_it(it.person.as_ref().map(|it| it.login.as_str()), &it.item)
    });
    let tally = found.with_context(|| format!("nothing is counted of {name}"))?.tally;
    Ok((tally.faves, tally.weight, tally.people))
}

fn fave(stage: &mut Stage, id: &str, login: &str, item: &str) -> Result<()> {
    let person = Person { id: id.to_owned(), login: login.to_owned(), name: login.to_owned() };
    let line = ChatLine { person, ..chat_line(login, &format!("?fave {item}")) };
    stage.event(Happening::Chat(line))?;
    stage.engine.commit()?;
    Ok(())
}

/// What the old version had, and that it goes on from there.
fn is_taken_over(schema: u64) -> Result<()> {
    let folder = unpacked(schema)?;
    let file = folder.path().join("heat.redb");
    let mut stage = open(&file)?;
    let snapshot = stage.engine.snapshot()?;
    assert_eq!(tally(&snapshot, CountKind::Channel, "")?, (4, 4000, 2));
    assert_eq!(tally(&snapshot, CountKind::Item, "pie")?, (3, 3000, 2));
    assert_eq!(tally(&snapshot, CountKind::Person, "bob")?, (2, 2000, 1));
    let texts = ["heat", "record", "total", "stream"].map(|name| stage.output(name));
    let texts = texts.map(Option::unwrap_or_default);
    // The heat has halved once on the way, and the total never does.
    assert_eq!(texts, ["3", "3", "4", "unknown"]);
    let outbox = snapshot.outbox()?;
    let titles: Vec<_> = outbox.iter().map(|it| String::from_utf8_lossy(&it.2)).collect();
    assert_eq!(titles, ["pie", "cake", "pie"], "the first of four was acknowledged");
    let records = snapshot.records_since(0)?;
    let events =
        |records: &[Record]| records.iter().filter(|it| matches!(it, Record::Event { .. })).count();
    assert_eq!(events(&records), 6);
    let last = records.iter().map(Record::at).max().unwrap_or_default();
    ensure!(matches!(records[0], Record::Chain { .. }) && last > START, "{records:?}");
    drop(snapshot);

    // The rules go on with their state.
    stage.wait(last + 30_000 - stage.now)?;
    fave(&mut stage, "101", "ann", "pie")?;
    assert_eq!(stage.output("total").as_deref(), Some("5"));
    assert_eq!(stage.engine.snapshot()?.outbox()?.len(), 4);
    let numbers: Vec<u64> = stage.engine.snapshot()?.outbox()?.iter().map(|it| it.0).collect();
    ensure!(numbers.is_sorted() && numbers[3] > numbers[2], "{numbers:?}");
    let before = seen(&stage)?;
    drop(stage);

    // A second time it is a store of this version, and as it was.
    let stage = open(&file)?;
    assert_eq!(seen(&stage)?, before);
    assert_eq!(events(&stage.engine.snapshot()?.records_since(0)?), 7);
    Ok(())
}

/// Counts and outputs; the heat falls by the clock.
fn seen(stage: &Stage) -> Result<String> {
    let counts = stage.engine.snapshot()?.counts_of(CHANNEL)?;
    let outputs = ["record", "total", "stream"].map(|name| stage.output(name));
    Ok(format!("{outputs:?} {counts:?}"))
}

#[test]
fn a_store_of_the_first_schema_is_taken_over() -> Result<()> {
    is_taken_over(1)
}

#[test]
fn a_store_of_the_second_schema_is_taken_over() -> Result<()> {
    is_taken_over(2)
}

#[test]
fn every_earlier_schema_has_a_store_here() -> Result<()> {
    for schema in 1..SCHEMA_VERSION {
        unpacked(schema)?;
    }
    Ok(())
}

#[test]
fn a_store_of_a_later_schema_is_refused_and_left_as_it_is() -> Result<()> {
    let folder = unpacked(SCHEMA_VERSION + 1)?;
    let file = folder.path().join("heat.redb");
    let before = std::fs::read(&file)?;
    let error = Store::open(&file).err().context("it was opened")?;
    ensure!(matches!(error, StoreError::Newer { found: 4, known: 3, .. }), "{error:?}");
    let words = error.to_string();
    for word in ["schema version 4", "versions up to 3", "version 9.8.7", "restore a backup"] {
        ensure!(words.contains(word), "{words}");
    }
    ensure!(std::fs::read(&file)? == before, "it was written to");
    Ok(())
}
