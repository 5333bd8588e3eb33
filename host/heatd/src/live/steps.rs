//! How far something is that takes time: a line of JSON for each step, and one for the end.

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Refusal;

/// Where the steps are told. Nobody has to listen.
#[derive(Clone)]
pub(crate) struct Steps(Option<mpsc::UnboundedSender<Value>>);

impl Steps {
    pub(crate) fn to(listener: mpsc::UnboundedSender<Value>) -> Self {
        Self(Some(listener))
    }

    /// For who does not want to know.
    pub(crate) fn unheard() -> Self {
        Self(None)
    }

    pub(crate) fn tell(&self, line: Value) {
        if let Some(listener) = &self.0 {
            // Who has asked may be gone; the work goes on.
            let _ = listener.send(line);
        }
    }

    /// A step that has no measure.
    pub(crate) fn step(&self, name: &str) {
        self.tell(json!({ "step": name }));
    }

    /// A step of which so much is done.
    pub(crate) fn progress(&self, name: &str, events: u64, of: u64) {
        self.tell(json!({ "step": name, "events": events, "of": of }));
    }

    /// The last line.
    pub(crate) fn end(&self, done: Result<Value, Refusal>) {
        self.tell(match done {
            Ok(done) => done,
            Err(refusal) => json!({ "refused": refusal.to_string() }),
        });
    }
}
