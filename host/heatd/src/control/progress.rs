//! The progress of long work: a line of JSON for each step, and one for the end.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::error::Error;

/// Progress within a step is reported no more often than this.
const TELL: Duration = Duration::from_millis(100);

/// Where the progress are reported. There may be no listener.
#[derive(Clone)]
pub(crate) struct Progress {
    listener: Option<mpsc::Sender<Value>>,
    told: Cell<Option<Instant>>,
}

impl Progress {
    pub(crate) fn to(listener: mpsc::Sender<Value>) -> Self {
        Self { listener: Some(listener), told: Cell::new(None) }
    }

    /// Progress that nobody listens to.
    pub(crate) fn unheard() -> Self {
        Self { listener: None, told: Cell::new(None) }
    }

    pub(crate) fn tell(&self, line: Value) {
        if let Some(listener) = &self.listener {
            // The listener may be gone or slow. The work goes on without it.
            let _ = listener.try_send(line);
        }
    }

    /// A step without a measure of how much is done.
    pub(crate) fn step(&self, name: &str) {
        self.tell(json!({ "step": name }));
    }

    /// A step, and how much of it is done.
    pub(crate) fn part(&self, name: &str, events: u64, of: u64) {
        if self.told.get().is_none_or(|at| at.elapsed() >= TELL) {
            self.told.set(Some(Instant::now()));
            self.tell(json!({ "step": name, "events": events, "of": of }));
        }
    }

    /// The last line. It waits for a slow listener, so that no answer is without its end.
    pub(crate) fn end(&self, done: Result<Value, Error>) {
        let line = match done {
            Ok(done) => done,
            Err(refusal) => json!({ "refused": refusal.to_string() }),
        };
        if let Some(listener) = &self.listener {
            // The caller may be gone.
            let _ = listener.blocking_send(line);
        }
    }
}
