//! How long a `?fave` takes from the line on the socket to the renamed file: heatd, mosquitto on this machine, heat-writer that
//! writes every value. Beside it one fsync of the same disk, measured between the faves; then with a disk whose fsync takes
//! 20 ms longer.

use std::fs::File;
use std::io::Write;
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use heat_tests::figures::{Figure, Samples, number};
use heat_tests::patience::eventually;
use heat_tests::processes::Program;
use heat_tests::twitch::Line;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

use crate::setup::Setup;
use crate::stage::{CHANNEL, Stage, seaside};

/// What the slow disk adds to an fsync.
const SLOW_MS: f64 = 20.0;

/// Of heatd, mosquitto and the writer together, beyond one fsync.
const P50_MS: f64 = 4.0;
const P99_MS: f64 = 15.0;

/// As many bytes as a page of the store.
const PAGE: [u8; 4096] = [7; 4096];

/// A file that is not renamed within this time is not renamed at all.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(setup: &Setup) -> Result<()> {
    measure(setup, None)?;
    measure(setup, Some(SLOW_MS))
}

fn measure(setup: &Setup, slower: Option<f64>) -> Result<()> {
    let stage = Stage::new(setup)?;
    let (rules, _) = stage.chain()?;
    let mut command = stage.heatd_command(&seaside(), &rules)?;
    if let Some(milliseconds) = slower {
        command
            .env("LD_PRELOAD", &setup.slow_disk)
            .env("HEAT_SLOW_DISK_MS", milliseconds.to_string());
    }
    let _heatd = stage.ready(Program::start(command)?, &seaside())?;
    std::fs::create_dir(stage.path("show"))?;
    let renames = watch(&stage.path("show"))?;
    let _writer = stage.writer("show/heat.txt")?;
    let file = stage.path("show/heat.txt");
    let mut disk = File::create(stage.path("disk"))?;
    let (mut faves, mut fsyncs) = (Samples::default(), Samples::default());
    stage.chat.say(CHANNEL, "person0", "?fave");
    eventually("the first fave in the file", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text == "1")
    })?;
    // The writer may have written a text before that one; the pause lets every rename be told.
    thread::sleep(Duration::from_millis(500));
    while renames.try_recv().is_ok() {}
    for count in 2..setup.pick(30, 500) + 2 {
        let line = Line::chat(CHANNEL, &format!("person{count}"), "?fave Plastic Love");
        let start = Instant::now();
        ensure!(stage.chat.send(CHANNEL, &line) == 1, "heatd has lost its connection");
        let renamed = renames.recv_timeout(PATIENCE).context("the file was not renamed")?;
        faves.push(renamed.saturating_duration_since(start).as_secs_f64() * 1e3);
        let text = std::fs::read_to_string(&file)?;
        ensure!(text == count.to_string(), "the file has {text:?} after {count} faves");
        let start = Instant::now();
        disk.write_all(&PAGE)?;
        disk.sync_data()?;
        fsyncs.push(start.elapsed().as_secs_f64() * 1e3);
        // Chat has pauses, and heatd goes to sleep in them.
        thread::sleep(Duration::from_millis(5 + count % 11));
    }
    print(&faves, &fsyncs, slower)
}

fn print(faves: &Samples, fsyncs: &Samples, slower: Option<f64>) -> Result<()> {
    let (disk, added) = match slower {
        None => ("this disk".to_owned(), 0.0),
        Some(added) => (format!("an fsync slowed by {} ms", number(added)), added),
    };
    for (name, share, most) in [("p50", 0.5, P50_MS), ("p99", 0.99, P99_MS)] {
        let (value, fsync) = (faves.quantile(share), fsyncs.quantile(share) + added);
        let figure = format!("from the line on the socket to the renamed file, {name}, {disk}");
        Figure::new("latency", &figure, "ms", value)
            .floor(&format!("one fsync, {name}"), fsync)
            .target(&format!("≤ {} ms and one fsync", number(most)), value <= most + fsync)
            .print()?;
    }
    Ok(())
}

/// Tells when a file in this folder has taken the place of another.
fn watch(folder: &Path) -> Result<Receiver<Instant>> {
    let inotify = inotify::init(CreateFlags::CLOEXEC)?;
    inotify::add_watch(&inotify, folder, WatchFlags::MOVED_TO)?;
    let (sender, renames) = sync_channel(1024);
    thread::spawn(move || {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(inotify, &mut buffer);
        while let Ok(event) = events.next() {
            let at = Instant::now();
            if event.events().contains(ReadFlags::MOVED_TO) && sender.send(at).is_err() {
                return;
            }
        }
    });
    Ok(renames)
}
