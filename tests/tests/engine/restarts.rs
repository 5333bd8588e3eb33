//! Series after a start: the log of the open hour is read beside the engine, which counts at once; and in the end every bin is as if
//! nothing had stopped.

use std::io::{Error, Result as IoResult};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use heat_engine::wit::{Event, Happening};
use heat_engine::{Chain, Engine, Range, Resolution, StorageBackend, Store, What};

use crate::disk::Disk;
use crate::series::{Line, emote, event, generated, is_counted, served, served_by};
use crate::stage::{CHANNEL, START, sandbox};

const MINUTE: u64 = 60_000;

/// A disk on which the thread that reads the log after a start can be made to wait, and to fail.
#[derive(Debug, Clone)]
struct Gated {
    disk: Disk,
    gate: Arc<(Mutex<Gate>, Condvar)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Shut,
    Broken,
}

impl Gated {
    fn new(bytes: Vec<u8>, gate: Gate) -> Self {
        Self { disk: Disk::with(bytes), gate: Arc::new((Mutex::new(gate), Condvar::new())) }
    }

    fn set(&self, gate: Gate) {
        *self.gate.0.lock().unwrap_or_else(PoisonError::into_inner) = gate;
        self.gate.1.notify_all();
    }
}

impl StorageBackend for Gated {
    fn len(&self) -> IoResult<u64> {
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> IoResult<()> {
        if thread::current().name() == Some("series") {
            let gate = self.gate.0.lock().unwrap_or_else(PoisonError::into_inner);
            let gate = self.gate.1.wait_while(gate, |gate| *gate == Gate::Shut);
            if *gate.unwrap_or_else(PoisonError::into_inner) == Gate::Broken {
                return Err(Error::other("the disk is gone"));
            }
        }
        self.disk.read(offset, out)
    }

    fn set_len(&self, length: u64) -> IoResult<()> {
        self.disk.set_len(length)
    }

    fn sync_data(&self) -> IoResult<()> {
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> IoResult<()> {
        self.disk.write(offset, data)
    }
}

fn engine(store: Store, now: u64) -> Result<Engine> {
    let chain = Chain { channel: CHANNEL.to_owned(), rules: Vec::new() };
    Ok(Engine::open(sandbox()?, store, vec![chain], now)?)
}

fn whats() -> Vec<What> {
    ["Kappa", "LUL", "peepoHappy", "a b"].map(emote).into_iter().chain([What::Messages]).collect()
}

/// A line of so many letters that hardly compress: a log of them is more than the store keeps in memory.
fn long(number: usize, line: &Line, random: &mut Rng) -> Event {
    let mut event = event(number, line);
    if let Happening::Chat(chat) = &mut event.what {
        chat.text = (0..30_000).map(|_| char::from(random.u8(b' '..=b'~'))).collect();
    }
    event
}

/// Counts lines, with numbers from the first of them on, and commits now and then.
fn tell(engine: &mut Engine, first: usize, lines: &[Line]) -> Result<()> {
    for (number, line) in (first..).zip(lines) {
        engine.fire(line.now)?;
        engine.handle(line.now, event(number, line))?;
        if number % 7 == 0 {
            engine.commit()?;
        }
    }
    engine.commit()?;
    Ok(())
}

/// A disk with a log of some minutes that the cache does not hold, and the lines in it.
fn long_log() -> Result<(Vec<u8>, Vec<Line>)> {
    let disk = Disk::default();
    let mut engine = engine(Store::with_backend(disk.clone())?, START)?;
    let mut random = Rng::with_seed(1);
    let mut lines = generated(4, 400);
    for (place, line) in lines.iter_mut().enumerate() {
        line.now = START + 5_000 * place as u64;
        line.at = line.now.saturating_sub(300).max(START);
        engine.fire(line.now)?;
        engine.handle(line.now, long(place, line, &mut random))?;
        if place % 8 == 7 {
            engine.commit()?;
        }
    }
    engine.commit()?;
    Ok((disk.bytes(), lines))
}

/// More lines, from this time on.
fn on_time(seed: u64, from: u64) -> Vec<Line> {
    let mut lines = generated(seed, 60);
    for (place, line) in lines.iter_mut().enumerate() {
        line.now = from + 3_000 * place as u64;
        line.at = line.now;
    }
    lines
}

/// The same, and among them one that comes so late that its finest bins are stored.
fn more(seed: u64, from: u64, before: &[Line]) -> Vec<Line> {
    let mut lines = on_time(seed, from);
    let now = lines[30].now;
    // Somebody says the same again, as far as a bin can tell: so the number of people is known.
    lines[30] = Line { now, ..before[before.len() / 2].clone() };
    lines
}

/// What came late for stored bins is stored with the next commit.
fn settle(engine: &mut Engine, now: u64) -> Result<()> {
    let series = engine.statistics().context("the engine counts")?;
    // Waits until the log is read.
    series.totals(CHANNEL, Resolution::Hour, Range { from: 0, to: 1 })?;
    engine.fire(now)?;
    engine.commit()?;
    Ok(())
}

#[test]
fn the_engine_counts_while_the_log_is_read_and_who_asks_waits_for_all_of_it() -> Result<()> {
    let (bytes, mut lines) = long_log()?;
    let disk = Gated::new(bytes, Gate::Shut);
    let now = START + 40 * MINUTE;
    let mut engine = engine(Store::with_backend(disk.clone())?, now)?;
    let series = engine.statistics().context("the engine counts")?;
    let stored = series.stored()?;
    let asking = thread::spawn({
        let series = series.clone();
        move || served_by(&series, &whats())
    });
    let more = on_time(11, now);
    tell(&mut engine, lines.len(), &more)?;
    ensure!(!series.is_read(), "the log was read through a gate that is shut");
    assert_eq!(series.stored()?, stored, "bins are stored that are not whole");
    assert_eq!(series.latest(CHANNEL, &[What::Messages], Resolution::Hour, now), None);
    ensure!(engine.next_close().is_some(), "nobody comes to see whether the log is read");
    disk.set(Gate::Open);
    lines.extend(more);
    is_counted(&asking.join().expect("it panicked")?, &lines, &whats());
    ensure!(series.is_read(), "who asks was answered before the log was read");
    is_counted(&served(&engine, &whats())?, &lines, &whats());
    // What has closed meanwhile is stored with the next commit.
    engine.fire(now + 4 * MINUTE)?;
    ensure!(engine.is_pending(), "nothing is to be closed");
    engine.commit()?;
    ensure!(series.stored()? != stored, "nothing was stored");
    is_counted(&served(&engine, &whats())?, &lines, &whats());
    engine.fire(now + 80 * MINUTE)?;
    engine.commit()?;
    is_counted(&served(&engine, &whats())?, &lines, &whats());
    Ok(())
}

#[test]
fn a_start_that_is_cut_short_while_the_log_is_read_loses_and_doubles_nothing() -> Result<()> {
    let (mut bytes, mut lines) = long_log()?;
    let mut now = START + 40 * MINUTE;
    // Twice in a row, the second time with what came after the first start in the log.
    for seed in [21, 22] {
        let disk = Gated::new(bytes, Gate::Shut);
        let mut engine = engine(Store::with_backend(disk.clone())?, now)?;
        let series = engine.statistics().context("the engine counts")?;
        let more = more(seed, now, &lines);
        tell(&mut engine, lines.len(), &more)?;
        // Nothing that the log has of before is deleted while it is read.
        engine.expire_log(now)?;
        ensure!(!series.is_read(), "the log was read through a gate that is shut");
        bytes = disk.disk.bytes();
        lines.extend(more);
        now += 5 * MINUTE;
        // Who waits is told that it came to nothing.
        disk.set(Gate::Broken);
        ensure!(served_by(&series, &whats()).is_err(), "a log that cannot be read was counted");
        ensure!(!series.is_read(), "it cannot be read");
        let told = engine.fire(now).expect_err("the owner of the engine must be told");
        ensure!(told.to_string().contains("the disk is gone"), "{told}");
        ensure!(engine.commit().is_err(), "an engine that cannot count must not go on");
    }
    let mut engine = engine(Store::with_backend(Disk::with(bytes))?, now)?;
    settle(&mut engine, now)?;
    is_counted(&served(&engine, &whats())?, &lines, &whats());
    engine.fire(now + 80 * MINUTE)?;
    engine.commit()?;
    is_counted(&served(&engine, &whats())?, &lines, &whats());
    Ok(())
}

#[test]
fn an_engine_that_ends_at_once_leaves_the_store_to_the_next_one() -> Result<()> {
    let (bytes, mut lines) = long_log()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("heat.redb");
    std::fs::write(&file, bytes)?;
    let mut now = START + 40 * MINUTE;
    for seed in 31..35 {
        // Another process could not open a file that is in use.
        let mut engine = engine(Store::open(&file)?, now)?;
        let more = more(seed, now, &lines);
        tell(&mut engine, lines.len(), &more)?;
        lines.extend(more);
        now += 5 * MINUTE;
    }
    let mut engine = engine(Store::open(&file)?, now)?;
    settle(&mut engine, now)?;
    is_counted(&served(&engine, &whats())?, &lines, &whats());
    Ok(())
}
