//! Searches a million lines of thirty days. Measures how soon something is found, how long the whole search takes, and by how much it delays other commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use heat_engine::wit::Happening;
use heat_engine::{Engine, HistoryQuery, Snapshot, TextPattern};
use heat_tests::figures::{Figure, Samples};

use crate::chat::{CHANNELS, Chat, START, channel, engine};
use crate::count::resident;
use crate::{Setup, progress};

/// What a page of heatd's API takes.
const BUDGET: Duration = Duration::from_millis(150);

/// How many messages `heat history` shows at first.
const FIRST: usize = 50;

/// How many different words there are.
const WORDS: u32 = 5_000;

/// How many lines a commit has: a fave, or `flush`, ends a group.
const GROUP: u64 = 100;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let folder = tempfile::tempdir_in(&setup.scratch)?;
    let mut engine = engine(&folder.path().join("heat.redb"))?;
    let lines = setup.pick(20_000, 1_000_000);
    fill(&mut engine, lines)?;
    let size = std::fs::metadata(folder.path().join("heat.redb"))?.len() as f64 / 1e6;
    Figure::new("history", &format!("a store with {lines} lines"), "MB", size).print()?;
    let snapshot = engine.snapshot()?;
    let before = resident()?;
    searches(setup, &snapshot, lines)?;
    let grown = (resident()? - before).max(0.0) / 1e6;
    Figure::new("history", "memory that searches have added", "MB", grown).at_most(10.0).print()?;
    drop(snapshot);
    beside(setup, &mut engine)
}

/// Lines of random words, evenly over thirty days. One in a hundred thousand has the word that is looked for.
fn fill(engine: &mut Engine, lines: u64) -> Result<()> {
    let (mut chat, mut random) = (Chat::new(200), Rng::with_seed(3));
    let step = 30 * 86_400_000 / lines;
    for number in 0..lines {
        let now = START + number * step;
        let mut event = chat.line(random.usize(..CHANNELS), now);
        if let Happening::Chat(line) = &mut event.what {
            line.text = text(&mut random);
            if number % 100_000 == 50_000 || number == 10_000 {
                line.text.push_str(" needle");
            }
        }
        engine.handle(now, event)?;
        if number % GROUP == GROUP - 1 {
            engine.commit()?;
        }
        if number % 100_000 == 0 {
            progress(&format!("line {number} of {lines}"));
        }
    }
    engine.commit()?;
    Ok(())
}

fn text(random: &mut Rng) -> String {
    let count = random.usize(2..14);
    let words: Vec<String> = (0..count).map(|_| format!("w{}", random.u32(..WORDS))).collect();
    words.join(" ")
}

fn searches(setup: &Setup, snapshot: &Snapshot, lines: u64) -> Result<()> {
    let words = |text: &str| TextPattern::words(text).map(Some).map_err(anyhow::Error::msg);
    let expression = TextPattern::expression("^w77 .*w7$").map_err(anyhow::Error::msg)?;
    for (name, person, text) in [
        ("a person of one channel", Some("person77"), None),
        ("a word that is rare", None, words("needle")?),
        ("a word that is nowhere", None, words("nothing like this")?),
        ("a word in each 700th line", None, words("w77 ")?),
        ("an expression", None, Some(expression)),
    ] {
        let (mut first, mut all, mut found) = (Samples::default(), Samples::default(), 0);
        for _ in 0..setup.pick(1, 5) {
            let started = Instant::now();
            let mut query = HistoryQuery { text: text.clone(), ..HistoryQuery::default() };
            if let Some(person) = person {
                query.channels.insert(channel(7));
                query.who = Some(snapshot.identify(&channel(7), person)?);
            }
            let seen = pages(snapshot, query, started)?;
            first.push(seen.first.as_secs_f64() * 1e3);
            all.push(started.elapsed().as_secs_f64() * 1e3);
            found = seen.found;
        }
        progress(&format!("{name}: {found} of {lines}"));
        let what = format!("{name}: until something is shown, or that the search goes on");
        Figure::median("history", &what, "ms", &first).at_most(200.0).print()?;
        Figure::median("history", &format!("{name}: all of it"), "ms", &all)
            .at_most(2_000.0)
            .print()?;
    }
    Ok(())
}

struct Seen {
    /// When the first page was there.
    first: Duration,
    found: usize,
}

/// Page after page, as `heat history --count 0` asks for them.
fn pages(snapshot: &Snapshot, mut query: HistoryQuery, started: Instant) -> Result<Seen> {
    let mut seen: Option<Seen> = None;
    loop {
        let page_started = Instant::now();
        let most = if seen.is_none() { FIRST } else { 1_000 };
        let page = snapshot.history(&query, most, || page_started.elapsed() < BUDGET)?;
        let found = page.found.len();
        match &mut seen {
            Some(seen) => seen.found += found,
            None => seen = Some(Seen { first: started.elapsed(), found }),
        }
        query.after = page.next;
        if page.next.is_none() {
            return seen.context("there is a page always");
        }
    }
}

/// A line that is committed alone, while nobody searches and while somebody does all the time.
fn beside(setup: &Setup, engine: &mut Engine) -> Result<()> {
    let rounds = setup.pick(50, 1_000);
    let mut chat = Chat::new(0);
    let mut now = START + 31 * 86_400_000;
    let mut commits = |engine: &mut Engine| -> Result<Samples> {
        let mut took = Samples::default();
        for _ in 0..rounds {
            now += 10;
            let event = chat.line(3, now);
            let started = Instant::now();
            engine.handle(now, event)?;
            engine.commit()?;
            took.push(started.elapsed().as_secs_f64() * 1e3);
        }
        Ok(took)
    };
    let alone = commits(engine)?;
    let stop = Arc::new(AtomicBool::new(false));
    let searcher = {
        let (stop, snapshot) = (Arc::clone(&stop), engine.snapshot()?);
        thread::spawn(move || -> Result<u64> {
            let text = TextPattern::words("nothing like this").map_err(anyhow::Error::msg)?;
            let mut searched = 0;
            while !stop.load(Ordering::Relaxed) {
                let query = HistoryQuery { text: Some(text.clone()), ..HistoryQuery::default() };
                snapshot.history(&query, 1, || !stop.load(Ordering::Relaxed))?;
                searched += 1;
            }
            Ok(searched)
        })
    };
    let searched = commits(engine)?;
    stop.store(true, Ordering::Relaxed);
    let rounds = searcher.join().map_err(|_| anyhow::anyhow!("the search panicked"))??;
    ensure!(rounds > 0, "nothing was searched");
    for (name, share) in [("median", 0.5), ("p99", 0.99)] {
        let name = format!("a line committed beside a search without end, {name}");
        let figure = Figure::new("history", &name, "ms", searched.quantile(share));
        figure.floor("while nobody searches", alone.quantile(share)).print()?;
    }
    Ok(())
}
