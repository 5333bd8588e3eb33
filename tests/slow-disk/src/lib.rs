//! A disk whose fsync takes longer: loaded into a program with `LD_PRELOAD`, it waits for `HEAT_SLOW_DISK_MS` milliseconds after each
//! fsync and fdatasync that the program asks for, and only then says that it is done.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "functions of the C library are replaced by ones of the same name")]

use std::ffi::{c_int, c_long};
use std::sync::OnceLock;
use std::time::Duration;

/// Takes the place of the C library's.
// SAFETY: it has the name and the type of the C library's function, and does what that does.
#[unsafe(no_mangle)]
pub extern "C" fn fsync(file: c_int) -> c_int {
    slowly(libc::SYS_fsync, file)
}

/// Takes the place of the C library's.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(file: c_int) -> c_int {
    slowly(libc::SYS_fdatasync, file)
}

fn slowly(call: c_long, file: c_int) -> c_int {
    // SAFETY: both calls take a file descriptor and nothing else; a wrong one is an error of the call.
    let result = unsafe { libc::syscall(call, file) };
    std::thread::sleep(delay());
    result as c_int
}

fn delay() -> Duration {
    static DELAY: OnceLock<Duration> = OnceLock::new();
    *DELAY.get_or_init(|| {
        let text = std::env::var("HEAT_SLOW_DISK_MS").unwrap_or_default();
        Duration::from_millis(text.parse().unwrap_or(0))
    })
}
