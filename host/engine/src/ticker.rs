//! The wall-clock backstop: a thread that advances the engine's epoch while guests may run, and sleeps otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmtime::Engine;

/// How often the epoch advances while a guest may run, in milliseconds.
const TICK_MS: u64 = 5;

struct Shared {
    armed: AtomicBool,
    ended: AtomicBool,
}

/// The ticking thread. It is armed when a group's first guest runs and disarmed at the commit, so that an idle daemon does
/// not wake for it.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> Self {
        let shared =
            Arc::new(Shared { armed: AtomicBool::new(false), ended: AtomicBool::new(false) });
        let engine = engine.clone();
        let seen = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            while !seen.ended.load(Ordering::Acquire) {
                if seen.armed.load(Ordering::Acquire) {
                    thread::sleep(Duration::from_millis(TICK_MS));
                    engine.increment_epoch();
                } else {
                    thread::park();
                }
            }
        });
        Self { shared, thread: Some(thread) }
    }

    /// The epoch deadline for a call of so many milliseconds: never shorter, at most one tick longer.
    pub(crate) fn ticks(milliseconds: u64) -> u64 {
        milliseconds.div_ceil(TICK_MS) + 1
    }

    pub(crate) fn arm(&self) {
        if !self.shared.armed.swap(true, Ordering::AcqRel)
            && let Some(thread) = &self.thread
        {
            thread.thread().unpark();
        }
    }

    pub(crate) fn disarm(&self) {
        self.shared.armed.store(false, Ordering::Release);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the ticker has nothing left to harm here.
            let _ = thread.join();
        }
    }
}
