//! What the log has is found: by person under every name, by words, by kind and time, page by page.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use heat_engine::wit::{ChatLine, Happening, Person, Raid};
use heat_engine::{
    FAVE, Found, FoundKind, HistoryQuery, Identity, Snapshot, Store, TextPattern, kind_of,
};

use crate::stage::{CHANNEL, START, Stage, chat_line, patient, plain};

fn person(id: &str, login: &str) -> Person {
    Person { id: id.to_owned(), login: login.to_owned(), name: login.to_uppercase() }
}

fn say(stage: &mut Stage, id: &str, login: &str, text: &str) -> Result<()> {
    let line = ChatLine { person: person(id, login), ..chat_line(login, text) };
    stage.event(Happening::Chat(line))?;
    stage.now += 1_000;
    Ok(())
}

/// An evening in several blocks of the log.
fn evening() -> Result<Stage> {
    let mut stage = Stage::at(START, vec![plain("fave")], patient(), Store::in_memory()?)?;
    say(&mut stage, "42", "ann", "hello")?;
    say(&mut stage, "7", "ben", "?fave Pie")?;
    stage.engine.commit()?;
    say(&mut stage, "42", "ann", "PIE! ann is no word of ben's")?;
    stage.event(Happening::Raid(Raid { person: person("42", "ann"), viewers: 9 }))?;
    stage.engine.commit()?;
    say(&mut stage, "42", "anna", "Größe")?;
    say(&mut stage, "7", "ben", "anna has another name")?;
    stage.engine.commit()?;
    Ok(stage)
}

/// What was found, in words.
fn told(found: &[Found]) -> Vec<String> {
    let words = |it: &Found| match &it.what {
        FoundKind::Event(event) => match &event.what {
            Happening::Chat(line) => format!("{}: {}", line.person.login, line.text),
            _ => kind_of(event).to_owned(),
        },
        FoundKind::Faves { faves, .. } => format!("{} x {}", faves[0].fave.item, faves.len()),
    };
    found.iter().map(words).collect()
}

fn all(snapshot: &Snapshot, query: &HistoryQuery) -> Result<Vec<String>> {
    Ok(told(&snapshot.history(query, usize::MAX, || true)?.found))
}

#[test]
fn somebody_is_found_under_every_name_and_only_they() -> Result<()> {
    let stage = evening()?;
    let snapshot = stage.engine.snapshot()?;
    for named in ["ann", "ANNA", "42"] {
        let who = Some(snapshot.identify(CHANNEL, named)?);
        let query = HistoryQuery { who, ..HistoryQuery::default() };
        let expected = ["anna: Größe", "raid", "ann: PIE! ann is no word of ben's", "ann: hello"];
        assert_eq!(all(&snapshot, &query)?, expected, "{named}");
    }
    let known = snapshot.person_history(CHANNEL, &snapshot.identify(CHANNEL, "anna")?)?;
    let names: Vec<_> = known.names.iter().map(|it| (it.login.as_str(), it.seen)).collect();
    let at = |seconds: u64| START + seconds * 1_000;
    assert_eq!(names, [("ann", Some((at(0), at(3)))), ("anna", Some((at(3), at(3))))]);
    assert_eq!((known.seen, known.days), (Some((at(0), at(3))), 1));
    assert_eq!(known.first_line, Some((START, "hello".to_owned())));
    assert_eq!((known.events["chat"], known.events["raid"]), (3, 1));
    drop(snapshot);

    let nobody = stage.engine.snapshot()?.identify(CHANNEL, "zoe")?;
    assert_eq!(nobody, Identity::default());
    Ok(())
}

#[test]
fn words_are_found_in_any_case_and_expressions_as_they_are() -> Result<()> {
    let stage = evening()?;
    let snapshot = stage.engine.snapshot()?;
    let find = |text: Result<TextPattern, String>| {
        let text = Some(text.map_err(anyhow::Error::msg)?);
        all(&snapshot, &HistoryQuery { text, oldest_first: true, ..HistoryQuery::default() })
    };
    let pie = ["ben: ?fave Pie", "Pie x 1", "ann: PIE! ann is no word of ben's"];
    assert_eq!(find(TextPattern::words("pie"))?, pie);
    assert_eq!(find(TextPattern::words("GRÖSSE"))?, [""; 0]);
    assert_eq!(find(TextPattern::words("GRÖßE"))?, ["anna: Größe"]);
    assert_eq!(find(TextPattern::words("P.E"))?, [""; 0]);
    assert_eq!(find(TextPattern::expression("^P.E"))?, ["ann: PIE! ann is no word of ben's"]);
    assert_eq!(
        find(TextPattern::expression("e$"))?,
        ["ben: ?fave Pie", "Pie x 1", "anna: Größe", "ben: anna has another name"]
    );
    Ok(())
}

#[test]
fn kinds_times_and_channels_leave_out_the_rest() -> Result<()> {
    let stage = evening()?;
    let snapshot = stage.engine.snapshot()?;
    let kinds = |kinds: &[&str]| HistoryQuery {
        kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
        ..HistoryQuery::default()
    };
    assert_eq!(all(&snapshot, &kinds(&["raid", FAVE]))?, ["raid", "Pie x 1"]);
    assert_eq!(all(&snapshot, &kinds(&["hype-train"]))?, [""; 0]);
    let (from, to) = (START + 1_000, Some(START + 3_000));
    let range = HistoryQuery { from, to, ..kinds(&["chat"]) };
    let expected = ["ann: PIE! ann is no word of ben's", "ben: ?fave Pie"];
    assert_eq!(all(&snapshot, &range)?, expected);
    let elsewhere = BTreeSet::from(["harbour".to_owned()]);
    let query = HistoryQuery { channels: elsewhere, ..HistoryQuery::default() };
    assert_eq!(all(&snapshot, &query)?, [""; 0]);
    Ok(())
}

#[test]
fn page_by_page_everything_comes_once_in_both_orders() -> Result<()> {
    let mut stage = evening()?;
    for number in 0..40 {
        say(&mut stage, "7", "ben", &format!("line {number}"))?;
        if number % 3 == 0 {
            stage.engine.commit()?;
        }
    }
    stage.engine.commit()?;
    let snapshot = stage.engine.snapshot()?;
    for oldest_first in [false, true] {
        let query = |after| HistoryQuery { oldest_first, after, ..HistoryQuery::default() };
        let whole = snapshot.history(&query(None), usize::MAX, || true)?;
        ensure!(whole.next.is_none() && whole.found.len() > 45, "{}", whole.found.len());
        for (most, goes_on) in [(1, true), (2, true), (7, true), (usize::MAX, false), (3, false)] {
            let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
            loop {
                let page = snapshot.history(&query(after), most, || goes_on)?;
                ensure!(page.found.len() <= most, "{} of {most}", page.found.len());
                found.extend(page.found);
                pages += 1;
                ensure!(pages < 200, "it never ends");
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(told(&found), told(&whole.found), "{most} {goes_on} {oldest_first}");
            ensure!(pages > 5, "{pages} pages");
        }
    }
    Ok(())
}
