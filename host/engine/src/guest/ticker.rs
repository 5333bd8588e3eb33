//! The wall-clock backstop: a thread that advances the engine's epoch while guests may run, and sleeps otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmtime::Engine;

/// How often the epoch advances while a guest may run, in milliseconds.
const TICK_MS: u64 = 5;

struct TickerState {
    /// How many guests there are.
    guests: AtomicUsize,
    ended: AtomicBool,
}

/// The ticking thread. It ticks while there are guests, which no group leaves behind, so that an idle daemon does not wake for it.
pub(crate) struct Ticker {
    shared: Arc<TickerState>,
    thread: Option<JoinHandle<()>>,
}

/// Keeps the epoch advancing for as long as a guest has it.
pub(crate) struct Ticking(Arc<TickerState>);

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.guests.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> Self {
        let shared =
            Arc::new(TickerState { guests: AtomicUsize::new(0), ended: AtomicBool::new(false) });
        let engine = engine.clone();
        let seen = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            while !seen.ended.load(Ordering::Acquire) {
                if seen.guests.load(Ordering::Acquire) > 0 {
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

    pub(crate) fn tick(&self) -> Ticking {
        if self.shared.guests.fetch_add(1, Ordering::AcqRel) == 0
            && let Some(thread) = &self.thread
        {
            thread.thread().unpark();
        }
        Ticking(Arc::clone(&self.shared))
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
