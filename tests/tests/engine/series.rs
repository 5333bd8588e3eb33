//! What is counted over time: held against a count of the test's own, over restarts, late lines and every width of bin.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use heat_engine::wit::{Emote, EmoteProvider, Event, Happening};
use heat_engine::{Point, Provider, Range, Resolution, Store, What};

use crate::stage::{CHANNEL, START, Stage, chat_line, patient, plain};

const HOUR: u64 = 3_600_000;

/// One line: when it was written, when it came, by whom, with which emotes.
#[derive(Clone)]
struct Line {
    at: u64,
    now: u64,
    login: String,
    emotes: Vec<&'static str>,
}

/// The test's own count: (what, width of the bin, start of the bin) -> (count, people).
type Counts = BTreeMap<(What, u64, u64), (i64, BTreeSet<String>)>;

fn emote(name: &str) -> What {
    What::Emote(Provider::SevenTv, name.to_owned())
}

fn counts(lines: &[Line]) -> Counts {
    let mut counts = Counts::new();
    for line in lines {
        let all = line.emotes.iter().map(|name| emote(name));
        for what in all.chain([What::Messages]) {
            for resolution in Resolution::ALL {
                let start = line.at - line.at % resolution.width();
                let count = counts.entry((what.clone(), resolution.width(), start)).or_default();
                count.0 += 1;
                count.1.insert(line.login.clone());
            }
        }
    }
    counts
}

/// Lines of some hours, a little out of order, with pauses.
fn generated(seed: u64, lines: usize) -> Vec<Line> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut now = START;
    let mut line = || {
        now += match random.u64(..50) {
            0 => random.u64(..900_000),
            _ => random.u64(..4_000),
        };
        let emotes = ["Kappa", "LUL", "peepoHappy", "a b"];
        let emotes = (0..random.usize(..4)).map(|_| emotes[random.usize(..4)]).collect();
        let login = format!("user{}", random.u64(..9));
        Line { at: now - random.u64(..500), now, login, emotes }
    };
    (0..lines).map(|_| line()).collect()
}

fn event(number: usize, line: &Line) -> Event {
    let mut chat = chat_line(&line.login, "text");
    chat.emotes = line
        .emotes
        .iter()
        .map(|name| Emote {
            name: (*name).to_owned(),
            id: format!("id of {name}"),
            provider: EmoteProvider::SevenTv,
            start: 0,
            end: 4,
        })
        .collect();
    Event {
        id: format!("line-{number}"),
        channel: CHANNEL.to_owned(),
        at: line.at,
        what: Happening::Chat(chat),
    }
}

fn open(file: &Path) -> Result<Stage> {
    Stage::with(vec![plain("fave")], patient(), Store::open(file)?)
}

/// Every point of everything, as the series have it.
fn served(stage: &Stage, whats: &[What]) -> Result<Counts> {
    let series = stage.engine.statistics().context("the engine counts")?;
    let range = Range { from: 0, to: u64::MAX };
    let mut counts = Counts::new();
    for resolution in Resolution::ALL {
        let all = series.points(CHANNEL, whats, resolution, range)?;
        for (what, points) in whats.iter().zip(all) {
            assert!(points.is_sorted_by_key(|point| point.at), "{what:?} at {resolution}");
            for Point { at, count, people } in points {
                let people = (0..people).map(|person| person.to_string()).collect();
                counts.insert((what.clone(), resolution.width(), at), (count, people));
            }
        }
    }
    Ok(counts)
}

/// Counts and numbers of people, without who they are.
fn numbers(counts: &Counts) -> BTreeMap<&(What, u64, u64), (i64, usize)> {
    counts.iter().map(|(key, (count, people))| (key, (*count, people.len()))).collect()
}

#[test]
fn every_bin_of_every_width_has_what_the_chat_had_however_often_heatd_starts_anew() -> Result<()> {
    let whats = [What::Messages, emote("Kappa"), emote("LUL"), emote("peepoHappy"), emote("a b")];
    for (seed, restarts) in [(1, 0), (2, 40), (3, 7)] {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("heat.redb");
        let lines = generated(seed, 3_000);
        let mut stage = open(&file)?;
        for (number, line) in lines.iter().enumerate() {
            stage.engine.fire(line.now)?;
            stage.engine.handle(line.now, event(number, line))?;
            if number % 13 == 0 {
                stage.engine.commit()?;
            }
            if restarts > 0 && number % (lines.len() / restarts) == 0 {
                stage.engine.commit()?;
                drop(stage);
                stage = open(&file)?;
            }
        }
        stage.engine.commit()?;
        let (expected, served) = (counts(&lines), served(&stage, &whats)?);
        assert_eq!(numbers(&served), numbers(&expected), "seed {seed}");
    }
    Ok(())
}

#[test]
fn what_was_not_committed_is_in_the_series_as_little_as_in_the_log() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let lines = generated(9, 600);
    let (kept, lost) = lines.split_at(400);
    let mut stage = open(&file)?;
    for (number, line) in kept.iter().enumerate() {
        stage.engine.handle(line.now, event(number, line))?;
    }
    stage.engine.commit()?;
    for (number, line) in lost.iter().enumerate() {
        stage.engine.handle(line.now, event(number + 400, line))?;
        stage.engine.count_series();
    }
    let whats = [What::Messages, emote("Kappa")];
    let numbers_of = |counts: &Counts| counts.values().map(|(count, _)| *count).sum::<i64>();
    assert!(
        numbers_of(&served(&stage, &whats)?)
            > numbers_of(&served(&open_again(stage, &file)?, &whats)?)
    );
    let served = served(&open(&file)?, &whats)?;
    let expected = counts(kept);
    let expected: Counts =
        expected.into_iter().filter(|((what, ..), _)| whats.contains(what)).collect();
    assert_eq!(numbers(&served), numbers(&expected));
    Ok(())
}

/// As after a crash: nothing is committed any more.
fn open_again(stage: Stage, file: &Path) -> Result<Stage> {
    drop(stage);
    open(file)
}

#[test]
fn a_line_that_comes_hours_late_is_counted_where_it_belongs() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    let line = |at, now| Line { at, now, login: "ann".to_owned(), emotes: vec!["Kappa"] };
    for (number, line) in [
        line(START, START),
        line(START + 3 * HOUR, START + 3 * HOUR),
        line(START + 200, START + 3 * HOUR),
    ]
    .iter()
    .enumerate()
    {
        stage.engine.handle(line.now, event(number, line))?;
        stage.engine.commit()?;
    }
    let served = served(&stage, &[emote("Kappa")])?;
    for resolution in Resolution::ALL {
        let (count, people) = &served[&(emote("Kappa"), resolution.width(), START)];
        // Whose the late one is cannot be told any more.
        assert_eq!((*count, people.len()), (2, 1), "{resolution}");
    }
    Ok(())
}

#[test]
fn faves_and_the_heat_are_series_too() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    let rules = || vec![plain("fave"), plain("decay")];
    let mut stage = Stage::with(rules(), patient(), Store::open(&file)?)?;
    for login in ["ann", "bob", "ann"] {
        stage.chat(login, "?fave")?;
        stage.engine.commit()?;
        stage.wait(20_000)?;
    }
    stage.engine.commit()?;
    let heat = |stage: &Stage, resolution| -> Result<Vec<Vec<Point>>> {
        let series = stage.engine.statistics().context("the engine counts")?;
        let whats = [What::Faves, What::Output("heat".to_owned())];
        Ok(series.points(CHANNEL, &whats, resolution, Range { from: START, to: START + HOUR })?)
    };
    let points = heat(&stage, Resolution::Second)?;
    let faves: Vec<_> = points[0].iter().map(|it| (it.at - START, it.count, it.people)).collect();
    assert_eq!(faves.iter().map(|it| it.1).sum::<i64>(), stage.faves()? as i64);
    assert!(points[1].iter().all(|it| it.count % 1_000 == 0 && it.count > 0), "{points:?}");
    let last = points[1].last().context("the heat is shown")?.count;
    assert_eq!(stage.output("heat"), Some((last / 1_000).to_string()));
    let series = stage.engine.statistics().context("the engine counts")?;
    assert_eq!(series.level_before(CHANNEL, "heat", START + HOUR)?, Some(last));
    assert_eq!(series.level_before(CHANNEL, "heat", START)?, None);
    // Wider bins have the last value, also when half of them was before a start.
    let hour = heat(&stage, Resolution::Hour)?;
    assert_eq!(hour[1].iter().map(|it| it.count).collect::<Vec<_>>(), [last]);
    drop((stage, series));
    let again = Stage::with(rules(), patient(), Store::open(&file)?)?;
    assert_eq!(heat(&again, Resolution::Hour)?[0], hour[0]);
    Ok(())
}

#[test]
fn old_bins_go_and_those_that_are_kept_for_ever_stay() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    let day = 24 * HOUR;
    for number in 0..6 {
        let at = START + number * day;
        let line = Line { at, now: at, login: "ann".to_owned(), emotes: vec!["Kappa"] };
        stage.engine.handle(at, event(number as usize, &line))?;
        stage.engine.commit()?;
    }
    stage.engine.fire(START + 5 * day + 2 * HOUR)?;
    stage.engine.commit()?;
    assert!(stage.engine.expire_series(Resolution::kept)? > 0);
    assert_eq!(stage.engine.expire_series(Resolution::kept)?, 0);
    let served = served(&stage, &[emote("Kappa")])?;
    let days =
        |resolution: Resolution| served.keys().filter(|key| key.1 == resolution.width()).count();
    assert_eq!((days(Resolution::Second), days(Resolution::FiveSeconds)), (1, 3));
    assert_eq!((days(Resolution::HalfMinute), days(Resolution::Hour)), (6, 6));
    Ok(())
}

#[test]
fn totals_are_the_sums_of_a_range() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    let lines = generated(5, 2_000);
    for (number, line) in lines.iter().enumerate() {
        stage.engine.handle(line.now, event(number, line))?;
        stage.engine.commit()?;
    }
    let series = stage.engine.statistics().context("the engine counts")?;
    let (from, to) = (START + HOUR, START + 2 * HOUR);
    let totals = series.totals(CHANNEL, Resolution::Minute, Range { from, to })?;
    for name in ["Kappa", "LUL"] {
        let inside = lines.iter().filter(|line| (from..to).contains(&line.at));
        let uses = inside.flat_map(|line| &line.emotes).filter(|it| **it == name).count();
        let total = totals.iter().find(|it| it.what == emote(name)).context("it was used")?;
        assert_eq!((total.count, total.id.as_str()), (uses as i64, &*format!("id of {name}")));
    }
    Ok(())
}

#[test]
fn who_follows_is_told_what_is_in_memory_and_no_nought_for_what_is_stored() -> Result<()> {
    let mut stage = Stage::new(vec![plain("fave")])?;
    let late = START + 3 * HOUR;
    for (number, at) in [START, late].into_iter().enumerate() {
        let line = Line { at, now: at, login: "ann".to_owned(), emotes: vec!["Kappa"] };
        stage.engine.handle(at, event(number, &line))?;
        stage.engine.commit()?;
    }
    let series = stage.engine.statistics().context("the engine counts")?;
    let whats = [What::Messages, emote("LUL")];
    for resolution in Resolution::ALL {
        let counts = |at| {
            let points = series.latest(CHANNEL, &whats, resolution, at)?;
            Some(points.iter().map(|point| point.map(|it| it.count)).collect::<Vec<_>>())
        };
        assert_eq!(counts(START), None, "{resolution}");
        assert_eq!(counts(late), Some(vec![Some(1), None]), "{resolution}");
    }
    Ok(())
}
