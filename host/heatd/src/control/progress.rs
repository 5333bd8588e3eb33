//! The progress of long work: a line of JSON for each step, and one for the end.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::mpsc;

use super::error::Error;

/// Progress within a step is reported no more often than this.
const TELL: Duration = Duration::from_millis(100);

/// Where progress is reported. There may be no listener.
#[derive(Clone)]
pub(crate) struct Progress {
    /// It gets lines of JSON.
    listener: Option<mpsc::Sender<String>>,
    told: Cell<Option<Instant>>,
}

/// A step of the work.
#[derive(Debug, Default, Serialize)]
struct StepLine<'a> {
    step: &'a str,
    /// How much of it is done, of how much in all: events, as a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// How long it will take in all, and how long it has taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed_ms: Option<u64>,
}

/// The last line of work that was not done.
#[derive(Debug, Serialize)]
struct RefusedLine {
    refused: String,
}

impl Progress {
    pub(crate) fn to(listener: mpsc::Sender<String>) -> Self {
        Self { listener: Some(listener), told: Cell::new(None) }
    }

    /// Progress that nobody listens to.
    pub(crate) fn unheard() -> Self {
        Self { listener: None, told: Cell::new(None) }
    }

    /// Whether somebody still waits for the result. The caller may be gone. Work that was started without a listener always counts as wanted.
    pub(crate) fn is_wanted(&self) -> bool {
        self.listener.as_ref().is_none_or(|listener| !listener.is_closed())
    }

    fn tell(&self, line: &StepLine<'_>) {
        if let Some(listener) = &self.listener {
            // The listener may be gone or slow. The work goes on without it.
            let _ = listener.try_send(json(line));
        }
    }

    /// A step without a measure of how much is done.
    pub(crate) fn step(&self, step: &str) {
        self.tell(&StepLine { step, ..StepLine::default() });
    }

    /// A step, and how much of it is done.
    pub(crate) fn part(&self, step: &str, done: u64, total: u64) {
        if self.told.get().is_none_or(|at| at.elapsed() >= TELL) {
            self.told.set(Some(Instant::now()));
            let (done, total) = (Some(done), Some(total));
            self.tell(&StepLine { step, done, total, ..StepLine::default() });
        }
    }

    /// A step whose end is guessed by time.
    pub(crate) fn timed(&self, step: &str, expected: Duration, elapsed: Duration) {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).ok();
        let (expected_ms, elapsed_ms) = (milliseconds(expected), milliseconds(elapsed));
        self.tell(&StepLine { step, expected_ms, elapsed_ms, ..StepLine::default() });
    }

    /// The last line. It waits for a slow listener, so that no answer is without its end.
    pub(crate) fn end<V: Serialize>(&self, done: Result<V, Error>) {
        let line = match done {
            Ok(done) => json(&done),
            Err(refusal) => json(&RefusedLine { refused: refusal.to_string() }),
        };
        if let Some(listener) = &self.listener {
            // The caller may be gone.
            let _ = listener.blocking_send(line);
        }
    }
}

fn json(line: &impl Serialize) -> String {
    // Texts and numbers always become JSON.
    serde_json::to_string(line).unwrap_or_default()
}
