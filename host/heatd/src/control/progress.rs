//! How far something is that takes time: a line of JSON for each step, and one for the end.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Refusal;

/// A step is told no more often than this.
const TELL: Duration = Duration::from_millis(100);

/// Where the steps are told. Nobody has to listen.
#[derive(Clone)]
pub(crate) struct Steps {
    listener: Option<mpsc::Sender<Value>>,
    told: Cell<Option<Instant>>,
}

impl Steps {
    pub(crate) fn to(listener: mpsc::Sender<Value>) -> Self {
        Self { listener: Some(listener), told: Cell::new(None) }
    }

    /// For who does not want to know.
    pub(crate) fn unheard() -> Self {
        Self { listener: None, told: Cell::new(None) }
    }

    pub(crate) fn tell(&self, line: Value) {
        if let Some(listener) = &self.listener {
            // Who has asked may be gone or slow; the work goes on.
            let _ = listener.try_send(line);
        }
    }

    /// A step that has no measure.
    pub(crate) fn step(&self, name: &str) {
        self.tell(json!({ "step": name }));
    }

    /// A step of which so much is done.
    pub(crate) fn progress(&self, name: &str, events: u64, of: u64) {
        if self.told.get().is_none_or(|at| at.elapsed() >= TELL) {
            self.told.set(Some(Instant::now()));
            self.tell(json!({ "step": name, "events": events, "of": of }));
        }
    }

    /// The last line, for which a slow reader is waited for.
    pub(crate) fn end(&self, done: Result<Value, Refusal>) {
        let line = match done {
            Ok(done) => done,
            Err(refusal) => json!({ "refused": refusal.to_string() }),
        };
        if let Some(listener) = &self.listener {
            // Who has asked may be gone.
            let _ = listener.blocking_send(line);
        }
    }
}
