//! What calls cost, for whoever writes rules. A daemon has no meter; the engine still knows no clock, so the meter brings one along.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

/// Something that a guest did.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Name of the slot.
    pub slot: Arc<str>,
    /// How long it took.
    pub took: Duration,
    /// What it was.
    pub what: Doing,
}

/// What a guest can do.
#[derive(Debug, Clone, Copy)]
pub enum Doing {
    /// The instance was made.
    Start,
    /// It was called for an event.
    Call {
        /// What the call used, in wasmtime's fuel.
        fuel: u64,
        /// Linear memory of the instance after the call, in bytes.
        memory: usize,
    },
}

/// Notes what guests do, by a clock of the caller.
pub struct Meter {
    clock: fn() -> Duration,
    measured: Mutex<Vec<Measured>>,
}

impl Meter {
    /// `clock` says how much time has passed since some moment.
    pub fn new(clock: fn() -> Duration) -> Self {
        Self { clock, measured: Mutex::default() }
    }

    /// What was noted since the last time.
    pub fn take(&self) -> Vec<Measured> {
        std::mem::take(&mut *self.measured.lock())
    }

    pub(crate) fn now(&self) -> Duration {
        (self.clock)()
    }

    pub(crate) fn note(&self, slot: &Arc<str>, started: Duration, what: Doing) {
        let took = self.now().saturating_sub(started);
        let measured = Measured { slot: Arc::clone(slot), took, what };
        self.measured.lock().push(measured);
    }
}
