//! One text file and the thread that writes it. A disk that does not answer holds up this thread and nothing else: not the other files,
//! not the broker, not the end of the program.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::oneshot;

use crate::file::{self, Outcome, Target};
use crate::outlet::Outlet;
use crate::replace::How;
use crate::report;

/// How often it is looked whether the file is still there.
const LOOK: Duration = Duration::from_secs(5);

/// A disk that takes longer than this is worth a word.
pub(crate) const SLOW: Duration = Duration::from_secs(5);

/// Paths and texts are short, and nothing recurses: a small stack keeps a dozen files cheap.
const STACK: usize = 128 << 10;

/// The loop's end of the thread.
pub(crate) struct FileThread {
    path: PathBuf,
    shared: Arc<Shared>,
    /// Closed when the thread has ended.
    ended: oneshot::Receiver<()>,
}

#[derive(Default)]
struct Shared {
    orders: Mutex<Orders>,
    changed: Condvar,
}

/// What the loop wants, and what the thread is doing.
#[derive(Default)]
struct Orders {
    /// Newer texts replace this one, so only the last is written.
    text: Option<String>,
    /// Whether the thread shall write what is left and end.
    end: bool,
    /// Whether there is a text that is not in the file yet.
    behind: bool,
    /// Since when the disk is busy with the file.
    busy_since: Option<Instant>,
    /// Whether it was said that the disk does not answer.
    slow_reported: bool,
}

impl Shared {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        // Nothing that holds the lock can fail half-way.
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileThread {
    /// A file without a text gets `default` at once, since OBS shows nothing for a missing file; a text that is there stays until another
    /// one is wanted: a restart in mid-stream must not flicker.
    pub(crate) fn start(
        path: PathBuf,
        every: Duration,
        default: String,
        print: bool,
    ) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let (alive, ended) = oneshot::channel();
        let (own, own_path) = (Arc::clone(&shared), path.clone());
        // Until it has looked at the file, that is what it is busy with.
        shared.orders().busy_since = Some(Instant::now());
        let job = move || {
            let target = Target::open(own_path);
            let mut outlet = Outlet::new(every);
            if target.text().is_none() {
                outlet.want(default);
            }
            let mut job =
                Job { target, outlet, shared: own, print, failing: false, in_place: false };
            job.run();
            drop(alive);
        };
        thread::Builder::new()
            .name("file".to_owned())
            .stack_size(STACK)
            .spawn(job)
            .context("failed to start a thread")?;
        Ok(Self { path, shared, ended })
    }

    /// The file shall have this text as soon as it may.
    pub(crate) fn want(&self, text: String) {
        let mut orders = self.shared.orders();
        orders.text = Some(text);
        orders.behind = true;
        self.shared.changed.notify_one();
    }

    /// Whether there is something that the disk may be slow with.
    pub(crate) fn is_behind(&self) -> bool {
        let orders = self.shared.orders();
        !orders.slow_reported && (orders.behind || orders.busy_since.is_some())
    }

    /// Says once that the disk does not answer.
    pub(crate) fn report_if_slow(&self, now: Instant) {
        let mut orders = self.shared.orders();
        let slow = orders.busy_since.is_some_and(|since| since + SLOW <= now);
        if slow && !std::mem::replace(&mut orders.slow_reported, true) {
            report::say(format!(
                "{} does not answer: is its drive or share connected? It gets the last text as soon as it does",
                self.path.display()
            ));
        }
    }

    /// Has the last text written, due or not: the program ends.
    pub(crate) fn finish(&self) {
        self.shared.orders().end = true;
        self.shared.changed.notify_one();
    }

    /// Waits until the thread has ended.
    pub(crate) async fn ended(&mut self) {
        // Nothing is ever sent: that the other end is gone is the message.
        let _ = (&mut self.ended).await;
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }
}

/// What runs in the thread.
struct Job {
    target: Target,
    outlet: Outlet,
    shared: Arc<Shared>,
    print: bool,
    /// Whether the last write failed, which was reported.
    failing: bool,
    /// Whether it was said that the file is written in place.
    in_place: bool,
}

impl Job {
    fn run(&mut self) {
        let mut looks_at = Instant::now() + LOOK;
        self.rested();
        loop {
            let is_end = self.wait(looks_at);
            let now = Instant::now();
            if is_end {
                if let Some(text) = self.outlet.last().map(str::to_owned) {
                    self.write(&text);
                }
                return;
            }
            if looks_at <= now {
                looks_at = now + LOOK;
                self.look();
            }
            if let Some(text) = self.outlet.ready(now).map(str::to_owned) {
                self.write(&text);
            }
        }
    }

    /// Waits until there is something to do, and takes the newest text. True: the program ends.
    fn wait(&mut self, looks_at: Instant) -> bool {
        let mut orders = self.shared.orders();
        loop {
            if let Some(text) = orders.text.take() {
                self.outlet.want(text);
            }
            if orders.end {
                return true;
            }
            let now = Instant::now();
            let next = self.outlet.due(now).map_or(looks_at, |due| due.min(looks_at));
            if next <= now {
                orders.busy_since = Some(now);
                return false;
            }
            let waited = self.shared.changed.wait_timeout(orders, next - now);
            orders = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Writes the file again if it was deleted, or if its drive was away, even when the value stays the same.
    fn look(&mut self) {
        if self.outlet.last().is_none()
            && !self.target.is_there()
            && let Some(text) = self.target.text()
        {
            self.outlet.want(text.to_owned());
        }
        self.rested();
    }

    fn write(&mut self, text: &str) {
        self.shared.orders().busy_since = Some(Instant::now());
        let done = self.target.set(text);
        self.rested();
        let path = self.target.path().display();
        let was_failing = std::mem::replace(&mut self.failing, done.is_err());
        match &done {
            Err(error) if !was_failing => report::say(file::explain(self.target.path(), error)),
            Ok(_) if was_failing => report::say(format!("{path} is written again")),
            _ => {}
        }
        if matches!(done, Ok(Outcome::Written(How::InPlace)))
            && !std::mem::replace(&mut self.in_place, true)
        {
            report::say(format!(
                "{path} is written in place: it is a mount point, has a second name, or its folder takes no other file"
            ));
        }
        let changed = matches!(done, Ok(Outcome::Written(_)));
        if changed && self.print {
            report::print(self.target.text().unwrap_or_default());
        }
        match done {
            Ok(_) => self.outlet.written(Instant::now(), changed),
            Err(_) => self.outlet.failed(Instant::now()),
        }
        let mut orders = self.shared.orders();
        orders.behind = orders.text.is_some() || self.outlet.last().is_some();
    }

    /// The disk has answered.
    fn rested(&self) {
        let mut orders = self.shared.orders();
        orders.busy_since = None;
        if std::mem::take(&mut orders.slow_reported) {
            report::say(format!("{} answers again", self.target.path().display()));
        }
    }
}
