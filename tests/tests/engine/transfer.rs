//! Counts that come from elsewhere: added once, found again by a recount, and joined with whoever has the login.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use heat_engine::wit::{ChatLine, Happening, Person};
use heat_engine::{Changes, CountKind, ImportSummary, Imported, Library, Run, Seed};

use crate::stage::{CHANNEL, Stage, chat_line, plain, sandbox};

fn by_login(login: &str) -> Person {
    Person { id: format!("@{login}"), login: login.to_owned(), name: login.to_owned() }
}

fn count(person: Person, item: &str, faves: u64) -> Imported {
    Imported { person, item: item.to_owned(), faves, weight: 1000 * faves as i64 }
}

fn import(stage: &mut Stage, source: &str, counts: &[Imported]) -> Result<ImportSummary> {
    stage.engine.commit()?;
    let logins = stage.engine.snapshot()?.logins(CHANNEL)?;
    let would = stage.engine.import((CHANNEL, source), counts, &logins, true)?;
    let brought = stage.engine.import((CHANNEL, source), counts, &logins, false)?;
    assert_eq!(would, brought);
    stage.engine.commit()?;
    Ok(brought)
}

fn say(stage: &mut Stage, id: &str, login: &str, text: &str) -> Result<()> {
    let person = Person { id: id.to_owned(), login: login.to_owned(), name: login.to_owned() };
    stage.event(Happening::Chat(ChatLine { person, ..chat_line(login, text) }))?;
    stage.engine.commit()?;
    Ok(())
}

/// Faves and people of an item.
fn item(stage: &Stage, name: &str) -> Result<(u64, u32)> {
    let counts = stage.engine.snapshot()?.counts_of(CHANNEL)?;
    let mut found = counts.iter().filter(|it| it.kind == CountKind::Item && it.item == name);
    Ok(found.next().map_or((0, 0), |it| (it.tally.faves, it.tally.people)))
}

fn is_recounted(stage: &Stage) -> Result<()> {
    let snapshot = stage.engine.snapshot()?;
    assert_eq!(snapshot.recount(CHANNEL)?, snapshot.counts_of(CHANNEL)?);
    Ok(())
}

#[test]
fn what_the_same_source_has_brought_before_is_not_counted_again() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    let mut counts = vec![count(by_login("ann"), "pie", 1), count(by_login("bob"), "pie", 3)];
    let first = import(&mut stage, "mongo", &counts)?;
    assert_eq!((first.counts, first.known, first.faves, first.weight), (2, 0, 4, 4000));
    assert_eq!(item(&stage, "pie")?, (4, 2));
    let again = import(&mut stage, "mongo", &counts)?;
    assert_eq!((again.counts, again.known, again.faves), (0, 2, 0));
    // A later file of the same source has more.
    counts[1] = count(by_login("bob"), "pie", 5);
    counts.push(count(by_login("cy"), "pie", 1));
    assert_eq!(import(&mut stage, "mongo", &counts)?.faves, 3);
    assert_eq!(item(&stage, "pie")?, (7, 3));
    // Another source is other faves.
    assert_eq!(import(&mut stage, "other", &counts[..1])?.faves, 1);
    is_recounted(&stage)
}

#[test]
fn whoever_comes_with_an_imported_login_counts_as_the_same_person() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    say(&mut stage, "7", "ann", "?fave pie")?;
    // Who has faved here before is known by id at once.
    import(
        &mut stage,
        "mongo",
        &[count(by_login("ann"), "pie", 1), count(by_login("bob"), "pie", 1)],
    )?;
    assert_eq!(item(&stage, "pie")?, (3, 2));
    is_recounted(&stage)?;
    // Who comes later is, with the first line.
    say(&mut stage, "8", "bob", "hello")?;
    say(&mut stage, "8", "bob", "?fave pie")?;
    say(&mut stage, "9", "cy", "?fave pie")?;
    assert_eq!(item(&stage, "pie")?, (5, 3));
    let people = stage.engine.snapshot()?.counts_of(CHANNEL)?;
    ensure!(people.iter().all(|it| it.person.as_ref().is_none_or(|it| !it.id.starts_with('@'))));
    is_recounted(&stage)?;
    // And a second import of the file knows that.
    assert_eq!(import(&mut stage, "mongo", &[count(by_login("bob"), "pie", 1)])?.faves, 0);
    Ok(())
}

#[test]
fn a_run_from_before_an_import_has_the_counts_of_then_and_comes_by_it() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave"), plain("witness")])?;
    say(&mut stage, "7", "ann", "?fave pie")?;
    stage.wait(1_000)?;
    import(
        &mut stage,
        "mongo",
        &[count(by_login("ann"), "pie", 2), count(by_login("bob"), "pie", 2)],
    )?;
    stage.wait(1_000)?;
    say(&mut stage, "8", "bob", "?fave pie")?;
    let shown = stage.output("seen").context("the witness shows nothing")?;
    ensure!(shown.starts_with("6 faves of 2 people"), "{shown}");
    let snapshot = Arc::new(stage.engine.snapshot()?);
    let first = snapshot.first_checkpoint(CHANNEL)?.context("no checkpoint")?;
    let seed = Seed::checkpoint(&snapshot, CHANNEL, first)?.context("no seed")?;
    let blocks = snapshot.blocks(seed.next_record())?;
    let rules: Vec<_> = stage
        .engine
        .chains()
        .flat_map(|(_, rules)| rules)
        .map(|(slot, rule)| (slot.to_string(), rule.clone()))
        .collect();
    let library = Library::new(&sandbox()?, Arc::clone(&snapshot), &rules);
    let mut run = Run::begin(seed, library, Changes { exact: true, ..Changes::default() })?;
    assert_eq!(run.tally()?.faves, 0);
    for block in blocks {
        block?.1.iter().try_for_each(|record| run.follow(record).map(drop))?;
    }
    assert_eq!(run.text_of("seen"), Some(shown.as_str()));
    assert_eq!(run.tally()?, snapshot.channel_tally(CHANNEL)?);
    Ok(())
}

#[test]
fn a_store_takes_its_own_export_only_for_what_it_has_lost() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    assert_eq!(stage.engine.name_store(0xABC)?, 0xABC);
    assert_eq!(stage.engine.name_store(7)?, 0xABC);
    let ann = Person { id: "7".into(), login: "ann".into(), name: "ann".into() };
    say(&mut stage, "7", "ann", "?fave pie")?;
    let own = "0000000000000abc";
    assert_eq!(import(&mut stage, own, &[count(ann.clone(), "pie", 1)])?.faves, 0);
    assert_eq!(import(&mut stage, own, &[count(ann.clone(), "pie", 3)])?.faves, 2);
    assert_eq!(import(&mut stage, own, &[count(ann, "pie", 3)])?.faves, 0);
    assert_eq!(item(&stage, "pie")?, (3, 1));
    is_recounted(&stage)
}

#[test]
fn counts_that_came_by_two_ways_are_refused() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    stage.engine.name_store(0xABC)?;
    import(&mut stage, "a", &[count(by_login("ann"), "pie", 1)])?;
    stage.engine.note_sources(CHANNEL, "b", &["c".to_owned()]);
    stage.engine.commit()?;
    let snapshot = stage.engine.snapshot()?;
    let conflict = |source: &str, includes: &[&str]| {
        let includes: Vec<String> = includes.iter().map(|it| (*it).to_owned()).collect();
        snapshot.conflict(CHANNEL, source, &includes)
    };
    let reason = conflict("b", &["0000000000000abc"])?.context("its own counts come back")?;
    ensure!(reason.contains("exported from this heatd"), "{reason}");
    let reason = conflict("b", &["a"])?.context("a is here already")?;
    ensure!(reason.contains("counts of a"), "{reason}");
    let reason = conflict("c", &[])?.context("c came with b")?;
    ensure!(reason.contains("along with those of b"), "{reason}");
    assert_eq!(conflict("b", &["c"])?, None);
    assert_eq!(conflict("a", &[])?, None);
    assert_eq!(snapshot.sources()?, ["a", "c"]);
    Ok(())
}
