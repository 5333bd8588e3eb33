//! The wall-clock backstop: a thread that advances the engine's epoch while guests run, and sleeps otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmtime::Engine;

/// How often the epoch advances while a guest runs, in milliseconds.
const TICK_MS: u64 = 20;

#[derive(Default)]
struct TickerState {
    /// How many guests run.
    running: AtomicUsize,
    /// The thread waits to be told of one.
    parked: AtomicBool,
    ended: AtomicBool,
}

/// The ticking thread. It ticks while guests run, and an idle daemon does not wake for it.
pub(crate) struct Ticker {
    shared: Arc<TickerState>,
    thread: Option<JoinHandle<()>>,
}

/// Keeps the epoch advancing for as long as it is there.
pub(crate) struct Ticking<'a>(&'a TickerState);

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> Self {
        let shared = Arc::new(TickerState::default());
        let (engine, seen) = (engine.clone(), Arc::clone(&shared));
        let thread = thread::spawn(move || {
            while !seen.ended.load(Ordering::SeqCst) {
                if seen.running.load(Ordering::SeqCst) > 0 {
                    thread::sleep(Duration::from_millis(TICK_MS));
                    engine.increment_epoch();
                    continue;
                }
                seen.parked.store(true, Ordering::SeqCst);
                // A guest that begins to run after this line finds `parked` set, and wakes this thread.
                if seen.running.load(Ordering::SeqCst) == 0 && !seen.ended.load(Ordering::SeqCst) {
                    thread::park();
                }
                seen.parked.store(false, Ordering::SeqCst);
            }
        });
        Self { shared, thread: Some(thread) }
    }

    /// The epoch deadline for a call of so many milliseconds: never shorter, at most one tick longer.
    pub(crate) fn ticks(milliseconds: u64) -> u64 {
        milliseconds.div_ceil(TICK_MS) + 1
    }

    /// A guest runs from now on, until this is dropped.
    pub(crate) fn tick(&self) -> Ticking<'_> {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        if self.shared.parked.swap(false, Ordering::SeqCst) {
            self.wake();
        }
        Ticking(&self.shared)
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // A panic of the ticker has nothing left to harm here.
            let _ = thread.join();
        }
    }
}
