//! A clock that is wrong: loaded into a program with `LD_PRELOAD`, it puts the seconds that are written in the file
//! `HEAT_WRONG_CLOCK` on top of the true time. What measures how long something takes is left alone. Compiled by the test that
//! wants it, with nothing but the standard library.

#![cfg(target_os = "linux")]

use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

/// As 64-bit Linux has it.
#[repr(C)]
pub struct Time {
    seconds: i64,
    nanoseconds: i64,
}

type ClockGettime = extern "C" fn(c_int, *mut Time) -> c_int;

unsafe extern "C" {
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// The next library that has the name: the C library.
const NEXT: *mut c_void = -1_isize as *mut c_void;
const REALTIME: [c_int; 2] = [0, 5];

/// Takes the place of the C library's.
// SAFETY: it has the name and the type of the C library's function, and calls that.
#[unsafe(no_mangle)]
pub extern "C" fn clock_gettime(clock: c_int, time: *mut Time) -> c_int {
    static TRUE: OnceLock<ClockGettime> = OnceLock::new();
    // SAFETY: the C library has a function of this name, which is of this type.
    let read = TRUE.get_or_init(|| unsafe {
        std::mem::transmute::<*mut c_void, ClockGettime>(dlsym(NEXT, c"clock_gettime".as_ptr()))
    });
    let result = read(clock, time);
    if result == 0 && REALTIME.contains(&clock) {
        // SAFETY: the C library has just written there.
        unsafe { (*time).seconds += wrong_by() };
    }
    result
}

/// The file may be half written at this moment: then it is what it was.
fn wrong_by() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let file = std::env::var_os("HEAT_WRONG_CLOCK");
    let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    if let Some(seconds) = text.strip_suffix('\n').and_then(|text| text.parse().ok()) {
        LAST.store(seconds, Ordering::Relaxed);
    }
    LAST.load(Ordering::Relaxed)
}
