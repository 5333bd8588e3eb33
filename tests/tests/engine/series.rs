//! What is counted over time: held against a count of the test's own, over restarts, late lines and every width of bin.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use heat_engine::wit::{Emote, EmoteProvider, Event, Happening};
use heat_engine::{Chain, Engine, Point, Provider, Range, Resolution, Statistics, Store, What};

use crate::stage::{CHANNEL, START, Stage, chat_line, patient, plain, sandbox};

const HOUR: u64 = 3_600_000;

/// One line: when it was written, when it came, by whom, with which emotes.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) at: u64,
    pub(crate) now: u64,
    pub(crate) login: String,
    pub(crate) emotes: Vec<&'static str>,
}

/// The test's own count: (what, width of the bin, start of the bin) -> (count, people).
pub(crate) type Counts = BTreeMap<(What, u64, u64), (i64, BTreeSet<String>)>;

pub(crate) fn emote(name: &str) -> What {
    What::Emote(Provider::SevenTv, name.to_owned())
}

pub(crate) fn counts(lines: &[Line]) -> Counts {
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
pub(crate) fn generated(seed: u64, lines: usize) -> Vec<Line> {
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

pub(crate) fn event(number: usize, line: &Line) -> Event {
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
pub(crate) fn served(engine: &Engine, whats: &[What]) -> Result<Counts> {
    let series = engine.statistics().context("the engine counts")?;
    served_by(&series, whats)
}

pub(crate) fn served_by(series: &Statistics, whats: &[What]) -> Result<Counts> {
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

/// Holds what is served against the count of the test: how often, and by how many people.
pub(crate) fn is_counted(served: &Counts, lines: &[Line], whats: &[What]) {
    let numbers = |counts: &Counts| -> BTreeMap<(What, u64, u64), (i64, usize)> {
        let wanted = counts.iter().filter(|(key, _)| whats.contains(&key.0));
        wanted.map(|(key, (count, people))| (key.clone(), (*count, people.len()))).collect()
    };
    let (served, expected) = (numbers(served), numbers(&counts(lines)));
    let keys: BTreeSet<_> = served.keys().chain(expected.keys()).collect();
    let wrong = keys.into_iter().find(|key| served.get(key) != expected.get(key));
    // All of them would be more than anybody reads.
    if let Some(key) = wrong {
        panic!("{key:?}: served {:?}, said {:?}", served.get(key), expected.get(key));
    }
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
        is_counted(&served(&stage.engine, &whats)?, &lines, &whats);
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
        numbers_of(&served(&stage.engine, &whats)?)
            > numbers_of(&served(&open_again(stage, &file)?.engine, &whats)?)
    );
    let served = served(&open(&file)?.engine, &whats)?;
    is_counted(&served, kept, &whats);
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
    let served = served(&stage.engine, &[emote("Kappa")])?;
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
    let before = |at| -> Result<Option<i64>> {
        let series = stage.engine.statistics().context("the engine counts")?;
        Ok(series.level_before(CHANNEL, "heat", at)?)
    };
    assert_eq!((before(START + HOUR)?, before(START)?), (Some(last), None));
    // Wider bins have the last value, also when half of them was before a start.
    let hour = heat(&stage, Resolution::Hour)?;
    assert_eq!(hour[1].iter().map(|it| it.count).collect::<Vec<_>>(), [last]);
    // What was shown is in no record: it is kept when the engine ends, twice within a minute, too.
    for _ in 0..2 {
        stage.engine.end(stage.now)?;
        drop(stage);
        stage = Stage::with(rules(), patient(), Store::open(&file)?)?;
        let shown = &heat(&stage, Resolution::Second)?[1];
        assert!(points[1].iter().all(|point| shown.contains(point)), "{points:?} {shown:?}");
        assert_eq!(heat(&stage, Resolution::Hour)?[0], hour[0]);
    }
    Ok(())
}

/// How much time a stored block covers, by width of its bins.
const BLOCKS: [u64; 6] = [HOUR / 60, HOUR / 12, HOUR / 2, HOUR, HOUR, HOUR];

#[test]
fn of_every_width_old_bins_go_when_their_time_is_up_and_no_sooner() -> Result<()> {
    const DAY: u64 = 24 * HOUR;
    const DAYS: u64 = 400;
    let channels = ["seaside", "harbour", "quiet", "one", "another"];
    let count = channels.len() as u64;
    let chain = |name: &&str| Chain { channel: (*name).to_owned(), rules: Vec::new() };
    let chains = channels.iter().map(chain).collect();
    let mut engine = Engine::open(sandbox()?, Store::in_memory()?, chains, START)?;
    for day in 0..DAYS {
        let at = START + day * DAY;
        let line = Line { at, now: at, login: "ann".to_owned(), emotes: vec!["Kappa"] };
        for (place, channel) in channels.iter().enumerate() {
            let number = day as usize * channels.len() + place;
            let event = Event { channel: (*channel).to_owned(), ..event(number, &line) };
            engine.handle(at, event)?;
        }
        engine.commit()?;
    }
    let now = START + (DAYS - 1) * DAY + 2 * HOUR;
    engine.fire(now)?;
    engine.commit()?;
    let series = engine.statistics().context("the engine counts")?;
    let blocks = || -> Result<Vec<u64>> {
        Ok(series.stored()?.into_iter().map(|(_, blocks, _)| blocks).collect())
    };
    assert_eq!(blocks()?, [DAYS * count; 6]);
    // For ever, by default, and as short as can be.
    for kept in [[u64::MAX; 6], Resolution::ALL.map(Resolution::kept), [2 * HOUR; 6]] {
        let (before, mut rounds) = (blocks()?, 0);
        while !engine.expire_series(|resolution| kept[resolution as usize])? {
            rounds += 1;
        }
        let stays = |(block, kept): (u64, u64)| {
            let ends = (0..DAYS).map(|day| START + day * DAY + block);
            count * ends.filter(|end| end.saturating_add(kept) >= now).count() as u64
        };
        let expected: Vec<u64> = BLOCKS.into_iter().zip(kept).map(stays).collect();
        let left = blocks()?;
        assert_eq!(left, expected);
        // What is much goes in parts, so that nobody waits for long.
        let went = before.iter().sum::<u64>() - left.iter().sum::<u64>();
        assert_eq!(rounds, went / 5_000, "{went} blocks went");
    }
    assert_eq!(blocks()?, [count; 6]);
    let range = Range { from: 0, to: u64::MAX };
    let points = series.points("quiet", &[emote("Kappa")], Resolution::Hour, range)?;
    assert_eq!(points[0].len(), 1);
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
