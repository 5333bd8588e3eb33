//! A recount of the log gives the numbers of the series: in every channel, of everything that is counted, in bins of every width,
//! stored and open, with restarts and kills in between. The count is plain loops over the records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use heat_engine::wit::{Emote, EmoteProvider, Event, Happening};
use heat_engine::{
    Chain, Engine, Point, Provider, Range, Record, Resolution, Rule, Snapshot, Store, What,
};
use heat_tests::irc::Parts;
use heat_tests::recordings::Recordings;

use crate::disk::Disk;
use crate::stage::{START, chat_line, loaded, patient, sandbox};

/// How long after its end somebody new in a bin is told from others, in milliseconds.
const SLACK: u64 = 10_000;

/// No time at all.
const NONE: Range = Range { from: 0, to: 1 };

/// (channel, what, width, start) -> how often, and by whom.
type Recount = BTreeMap<(String, What, u64, u64), (i64, BTreeSet<String>)>;

/// The same, with how many people that were.
type Numbers = BTreeMap<(String, What, u64, u64), (i64, usize)>;

/// One line of chat, and when it came.
struct Said {
    now: u64,
    event: Event,
}

fn provider(provider: EmoteProvider) -> Provider {
    match provider {
        EmoteProvider::Twitch => Provider::Twitch,
        EmoteProvider::FrankerFaceZ => Provider::FrankerFaceZ,
        EmoteProvider::BetterTtv => Provider::BetterTtv,
        EmoteProvider::SevenTv => Provider::SevenTv,
    }
}

/// Counts the log: what happened, in which channel, at what time of its own, when it came, and by whom.
fn recount(snapshot: &Snapshot) -> Result<Recount> {
    let mut counts = Recount::new();
    let mut count = |channel: &str, what: What, at: u64, now: u64, person: &str| {
        for width in Resolution::ALL.map(Resolution::width) {
            let start = at / width * width;
            let key = (channel.to_owned(), what.clone(), width, start);
            let count = counts.entry(key).or_default();
            count.0 += 1;
            if !person.is_empty() && now < start + width + SLACK {
                count.1.insert(person.to_owned());
            }
        }
    };
    for record in snapshot.records_since(0)? {
        match record {
            Record::Event { now, event } => {
                let Happening::Chat(line) = &event.what else { continue };
                // Nobody speaks in the future, and nobody is heard a day later.
                let is_odd = event.at > now || event.at + 24 * 3_600_000 < now;
                let at = if is_odd { now } else { event.at };
                count(&event.channel, What::Messages, at, now, &line.person.id);
                for emote in &line.emotes {
                    let what = What::Emote(provider(emote.provider), emote.name.clone());
                    count(&event.channel, what, at, now, &line.person.id);
                }
            }
            Record::Faves { now, channel, faves, .. } => {
                for counted in faves {
                    count(&channel, What::Faves, now, now, &counted.fave.person.id);
                }
            }
            _ => {}
        }
    }
    Ok(counts)
}

/// What the series have.
fn served(engine: &Engine, channels: &[String]) -> Result<Numbers> {
    let series = engine.statistics().context("the engine counts")?;
    let all = Range { from: 0, to: u64::MAX };
    let mut numbers = Numbers::new();
    for channel in channels {
        for resolution in Resolution::ALL {
            let totals = series.totals(channel, resolution, all)?;
            let whats: Vec<What> = totals.into_iter().map(|total| total.what).collect();
            let points = series.points(channel, &whats, resolution, all)?;
            for (what, points) in whats.into_iter().zip(points) {
                for Point { at, count, people } in points {
                    let key = (channel.clone(), what.clone(), resolution.width(), at);
                    ensure!(numbers.insert(key, (count, people as usize)).is_none(), "twice");
                }
            }
        }
    }
    Ok(numbers)
}

fn is_the_same(engine: &mut Engine, channels: &[String]) -> Result<()> {
    // Once the log is read, what came late for stored bins is to be stored as well: heatd does so within a second.
    engine.statistics().context("the engine counts")?.totals("", Resolution::Hour, NONE)?;
    engine.fire(0)?;
    engine.commit()?;
    let recount: Numbers = recount(&engine.snapshot()?)?
        .into_iter()
        .map(|(key, (count, people))| (key, (count, people.len())))
        .collect();
    let served = served(engine, channels)?;
    for (key, expected) in &recount {
        let found = served.get(key);
        ensure!(found == Some(expected), "{key:?}: the log has {expected:?}, served is {found:?}");
    }
    let more: Vec<_> = served.keys().filter(|key| !recount.contains_key(key)).collect();
    ensure!(more.is_empty(), "the log knows nothing of {more:?}");
    Ok(())
}

fn open(disk: &Disk, channels: &[String], now: u64) -> Result<Engine> {
    let (sandbox, limits) = (sandbox()?, Arc::new(patient()));
    let chain = |channel: &String| -> Result<Chain> {
        let rule = Rule::new(&sandbox, &limits, &loaded("fave")?, &[])?;
        Ok(Chain { channel: channel.clone(), rules: vec![("fave".to_owned(), rule)] })
    };
    let chains = channels.iter().map(chain).collect::<Result<_>>()?;
    Ok(Engine::open(Arc::clone(&sandbox), Store::with_backend(disk.clone())?, chains, now)?)
}

/// Lets it all be said while heatd is stopped and killed again and again, and holds the series against the log each time.
fn tell(channels: &[String], lines: Vec<Said>, stops: usize, seed: u64) -> Result<()> {
    let disk = Disk::default();
    let (mut random, count) = (Rng::with_seed(seed), lines.len());
    let mut places: BTreeSet<usize> = (0..stops).map(|_| random.usize(..count)).collect();
    // One start right after the other.
    places.extend(places.iter().map(|place| place + 1).collect::<Vec<_>>());
    let mut engine = open(&disk, channels, lines[0].now)?;
    for (number, Said { now, event }) in lines.into_iter().enumerate() {
        engine.fire(now)?;
        engine.handle(now, event)?;
        if random.u8(..12) == 0 {
            engine.commit()?;
        }
        if random.u8(..5) == 0 {
            engine.count_series();
        }
        if places.contains(&number) {
            if random.bool() {
                engine.commit()?;
            }
            drop(engine);
            engine = open(&disk, channels, now)?;
        }
    }
    engine.commit()?;
    is_the_same(&mut engine, channels)?;
    // Only some of that was open at the end of each run; an hour later nothing is.
    drop(engine);
    let mut engine = open(&disk, channels, 0)?;
    is_the_same(&mut engine, channels)?;
    let newest = engine.snapshot()?.newest()?;
    engine.fire(newest + 2 * 3_600_000)?;
    engine.commit()?;
    ensure!(engine.next_close().is_none(), "something is open still");
    is_the_same(&mut engine, channels)
}

#[test]
fn a_recount_of_the_log_gives_the_series_of_generated_chat() -> Result<()> {
    let channels = ["seaside", "harbour", "quiet"].map(str::to_owned);
    let mut random = Rng::with_seed(77);
    let mut now = START - 100_000;
    let providers = [
        EmoteProvider::Twitch,
        EmoteProvider::FrankerFaceZ,
        EmoteProvider::BetterTtv,
        EmoteProvider::SevenTv,
    ];
    let mut said = |number: usize| {
        now += match random.u64(..80) {
            0 => random.u64(..1_500_000),
            _ => random.u64(..4_000),
        };
        let channel = channels[random.usize(..30) / 14].clone();
        let text = if random.u8(..6) == 0 { "?fave" } else { "hello" };
        let mut line = chat_line(&format!("user{}", random.u8(..12)), text);
        for _ in 0..random.usize(..4) {
            let name = ["Kappa", "LUL", "<b>", "a/b"][random.usize(..4)].to_owned();
            let (id, provider) = (name.clone(), providers[random.usize(..4)]);
            line.emotes.push(Emote { name, id, provider, start: 0, end: 1 });
        }
        // Most lines come at once, some after seconds, a few after minutes, and a clock may be ahead.
        let at = match random.u8(..40) {
            0 => now - random.u64(..600_000),
            1..4 => now - random.u64(..25_000),
            4 => now + 500,
            _ => now - random.u64(..400),
        };
        let id = format!("line-{number}");
        Said { now, event: Event { id, channel, at, what: Happening::Chat(line) } }
    };
    let lines = (0..3_000).map(&mut said).collect();
    tell(&channels, lines, 25, 5)
}

#[test]
fn a_recount_of_the_log_gives_the_series_of_recorded_chat() -> Result<()> {
    let Some(recordings) = Recordings::find("the recount of recorded chat") else { return Ok(()) };
    let (mut lines, mut channels) = (Vec::new(), BTreeSet::new());
    for name in recordings.irc_names()? {
        let recorded = recordings.irc(&name)?;
        let all: Vec<Event> = recorded.iter().filter_map(|line| event(line)).collect();
        let Some(first) = all.iter().map(|event| event.at).min() else { continue };
        // Whenever it was recorded: all of it is said at once, in the order in which it stands there.
        let mut now = START;
        for (number, mut event) in all.into_iter().take(1_500).enumerate() {
            event.at = event.at - first + START;
            now = now.max(event.at);
            event.id = format!("{name}-{number}");
            channels.insert(event.channel.clone());
            lines.push(Said { now, event });
        }
    }
    lines.sort_by_key(|said| said.now);
    let emotes = |said: &Said| match &said.event.what {
        Happening::Chat(line) => line.emotes.len(),
        _ => 0,
    };
    ensure!(lines.iter().map(emotes).sum::<usize>() > 100 && channels.len() > 2, "hardly anything");
    tell(&channels.into_iter().collect::<Vec<_>>(), lines, 12, 6)
}

/// A recorded line of chat that has a time.
fn event(line: &[u8]) -> Option<Event> {
    let parts = Parts::of(line).filter(|parts| parts.command == b"PRIVMSG")?;
    let text = String::from_utf8_lossy(parts.text()?).into_owned();
    let at = parts.tag("tmi-sent-ts")?.parse().ok()?;
    let login = Some(parts.login()).filter(|login| !login.is_empty())?;
    let mut chat = chat_line(&login, &text);
    let tag = parts.tag("emotes").unwrap_or_default();
    for (id, places) in tag.split('/').filter_map(|emote| emote.split_once(':')) {
        for (start, last) in places.split(',').filter_map(|place| place.split_once('-')) {
            let (start, last): (usize, usize) = (start.parse().ok()?, last.parse().ok()?);
            let name = text.chars().take(last + 1).skip(start).collect();
            let (start, end) = (start as u32, last as u32 + 1);
            let provider = EmoteProvider::Twitch;
            chat.emotes.push(Emote { name, id: id.to_owned(), provider, start, end });
        }
    }
    let channel = parts.channel()?.to_owned();
    Some(Event { id: String::new(), channel, at, what: Happening::Chat(chat) })
}
