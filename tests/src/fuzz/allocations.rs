//! Counts what a thread allocates, so that a target can assert that few bytes do not become very many.
//!
//! A test program that uses it says so with `#[global_allocator]`; elsewhere nothing is counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, with an account for each thread.
#[derive(Debug)]
pub struct Counting;

thread_local! {
    /// Bytes that are in use, as far as this thread has to do with them, and the most since it was asked last.
    static USED: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn note(bytes: isize) {
    // A thread that ends has no account any more.
    let _ = USED.try_with(|used| {
        let (now, most) = used.get();
        used.set((now.saturating_add(bytes), most.max(now.saturating_add(bytes))));
    });
}

fn signed(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe by its nature; this one passes everything on"
)]
// SAFETY: every call is passed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(signed(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(signed(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(signed(size));
        note(-signed(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(-signed(layout.size()));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

/// What the work gives, and how many bytes it had in use at most.
pub fn most_during<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = USED.with(|used| {
        let (now, _) = used.get();
        used.set((now, now));
        now
    });
    let done = work();
    let most = USED.with(Cell::get).1;
    (done, usize::try_from(most - before).unwrap_or(0))
}
