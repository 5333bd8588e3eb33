//! The engine on a thread of its own behind a queue, as heatd has it: groups of what is waiting, a commit when somebody waits for
//! it, and what somebody wants done between two events.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use heat_engine::wit::Event;
use heat_engine::{ChangeError, Engine};

use crate::stage::START;

/// As heatd has them: the most events of one commit, how many may wait, how long plain chat may be open.
const GROUP: usize = 1024;
const QUEUE: usize = 4096;
const FLUSH: Duration = Duration::from_secs(5);

/// What is done between two events, and what is done once that is durable.
type Task = Box<dyn FnOnce(&mut Engine) -> Result<After, ChangeError> + Send>;
type After = Box<dyn FnOnce()>;

enum Input {
    /// An event, and when it was due.
    Event(Instant, Box<Event>),
    Task(Task),
}

/// The way to the engine's thread.
#[derive(Clone)]
pub(crate) struct Desk(SyncSender<Input>);

/// What the thread has seen.
#[derive(Default)]
pub(crate) struct Seen {
    /// When each event was due, and milliseconds until it was decided.
    pub(crate) decided: Vec<(Instant, f64)>,
    /// When each event with a fave was due, and milliseconds until it was durable.
    pub(crate) durable: Vec<(Instant, f64)>,
    /// Milliseconds of what was done between two events.
    pub(crate) pauses: Vec<f64>,
}

/// Starts the thread. It ends when every desk is gone, and gives the engine back.
pub(crate) fn open(engine: Engine) -> Result<(Desk, JoinHandle<Result<(Engine, Seen)>>)> {
    let (desk, inputs) = sync_channel(QUEUE);
    let thread = thread::Builder::new().name("engine".to_owned());
    Ok((Desk(desk), thread.spawn(move || run(engine, &inputs))?))
}

/// Sends events of these numbers when they are due: so many a second.
pub(crate) fn stream(
    desk: &Desk,
    numbers: std::ops::Range<u64>,
    a_second: u64,
    event: impl Fn(u64) -> Event,
) {
    let (start, first) = (Instant::now(), numbers.start);
    for number in numbers {
        let due = start + Duration::from_secs_f64((number - first) as f64 / a_second as f64);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if desk.0.send(Input::Event(due, Box::new(event(number)))).is_err() {
            return;
        }
    }
}

impl Desk {
    /// Does something between two events, and waits until it is durable.
    pub(crate) fn ask<V: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Engine) -> Result<V, ChangeError> + Send + 'static,
    ) -> Result<V> {
        let (answer, answered) = sync_channel(1);
        let task = move |engine: &mut Engine| {
            let value = task(engine)?;
            let after: After = Box::new(move || {
                // Who has asked waits.
                let _ = answer.send(value);
            });
            Ok(after)
        };
        self.0.send(Input::Task(Box::new(task))).ok().context("the engine's thread has ended")?;
        answered.recv().context("the engine's thread has ended")
    }
}

fn run(engine: Engine, inputs: &Receiver<Input>) -> Result<(Engine, Seen)> {
    let mut group = Group {
        engine,
        seen: Seen::default(),
        began: Instant::now(),
        waiting: Vec::new(),
        open_since: None,
        afters: Vec::new(),
    };
    loop {
        match inputs.recv_timeout(group.patience()) {
            Ok(input) => group.take(input)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        for _ in 1..GROUP {
            if group.engine.is_full() {
                break;
            }
            let Ok(input) = inputs.try_recv() else { break };
            group.take(input)?;
        }
        group.end()?;
    }
    group.commit()?;
    Ok((group.engine, group.seen))
}

/// The events since the last commit.
struct Group {
    engine: Engine,
    seen: Seen,
    began: Instant,
    /// When the events with faves were due.
    waiting: Vec<Instant>,
    open_since: Option<Instant>,
    afters: Vec<After>,
}

impl Group {
    fn now(&self) -> u64 {
        START + self.began.elapsed().as_millis() as u64
    }

    /// How long nothing has to be done while nothing comes.
    fn patience(&self) -> Duration {
        let timer = self.engine.next_wake().map(|at| at.saturating_sub(self.now()));
        let timer = timer.map_or(FLUSH, Duration::from_millis);
        let flush = self.open_since.map(|since| FLUSH.saturating_sub(since.elapsed()));
        timer.min(flush.unwrap_or(FLUSH))
    }

    fn take(&mut self, input: Input) -> Result<()> {
        match input {
            Input::Event(due, event) => {
                let decision = self.engine.handle(self.now(), *event)?;
                self.seen.decided.push((due, due.elapsed().as_secs_f64() * 1e3));
                if !decision.faves.is_empty() {
                    self.waiting.push(due);
                }
            }
            Input::Task(task) => {
                self.commit()?;
                let start = Instant::now();
                let after = task(&mut self.engine)?;
                self.seen.pauses.push(start.elapsed().as_secs_f64() * 1e3);
                // The commit is one of those that events wait for anyway; heatd makes it at the end of the group.
                self.afters.push(after);
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let now = self.now();
        if self.engine.next_wake().is_some_and(|at| at <= now) {
            self.engine.fire(now)?;
        }
        if self.engine.is_pending() && self.open_since.is_none() {
            self.open_since = Some(Instant::now());
        }
        let due = self.open_since.is_some_and(|since| since.elapsed() >= FLUSH);
        let awaited = !self.afters.is_empty();
        if self.engine.is_urgent() || due || awaited || self.engine.is_full() {
            self.commit()?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.engine.commit()?;
        self.open_since = None;
        self.afters.drain(..).for_each(|after| after());
        for due in self.waiting.drain(..) {
            self.seen.durable.push((due, due.elapsed().as_secs_f64() * 1e3));
        }
        Ok(())
    }
}
