//! A task for the engine's thread, and what it can reach there.

use heat_engine::{Engine, StoreError};

use super::subscriptions::Subscriptions;

/// Work for the engine's thread, to be done between two events. Everything before it is committed.
pub(crate) struct Task {
    /// What it is, such as `swap.copy`: it stands in the log, in `heatd_engine_pause_seconds` and in reports of a hang.
    pub(crate) name: &'static str,
    /// The work. Its only error is one of the store, after which the engine must not go on.
    pub(crate) work: Box<dyn FnOnce(&mut EngineAccess<'_>) -> Result<(), StoreError> + Send>,
}

/// Work to be done once the task before it is durable.
pub(crate) type After = Box<dyn FnOnce() + Send>;

/// What a task can reach.
pub(crate) struct EngineAccess<'a> {
    /// The engine, which this thread alone has.
    pub(crate) engine: &'a mut Engine,
    /// The runs that follow what happens.
    pub(crate) subscriptions: &'a mut Subscriptions,
    /// What is called after the next commit.
    pub(crate) afters: &'a mut Vec<After>,
}

impl EngineAccess<'_> {
    /// Calls `after` once what the task has done is durable.
    pub(crate) fn after(&mut self, after: impl FnOnce() + Send + 'static) {
        self.afters.push(Box::new(after));
    }
}
