//! A disk that answers as slowly as a test wants: loaded into a program with `LD_PRELOAD`, it lets as many reads at a place of a file through as
//! the file `HEAT_READS` says, and holds the next one until that says more. Compiled by the test that wants it, with nothing but the
//! standard library.

#![cfg(target_os = "linux")]

use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

type Pread = extern "C" fn(c_int, *mut c_void, usize, i64) -> isize;

unsafe extern "C" {
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// The next library that has the name: the C library.
const NEXT: *mut c_void = -1_isize as *mut c_void;

/// Takes the place of the C library's.
// SAFETY: it has the name and the type of the C library's function, and calls that.
#[unsafe(no_mangle)]
pub extern "C" fn pread64(file: c_int, bytes: *mut c_void, count: usize, offset: i64) -> isize {
    static TRUE: OnceLock<Pread> = OnceLock::new();
    static READS: AtomicU64 = AtomicU64::new(0);
    // SAFETY: the C library has a function of this name, which is of this type.
    let read = TRUE.get_or_init(|| unsafe {
        std::mem::transmute::<*mut c_void, Pread>(dlsym(NEXT, c"pread64".as_ptr()))
    });
    let number = READS.fetch_add(1, Ordering::Relaxed);
    while number >= allowed() {
        std::thread::sleep(Duration::from_millis(5));
    }
    read(file, bytes, count, offset)
}

/// The file may be half written at this moment: then it is what it was.
fn allowed() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let file = std::env::var_os("HEAT_READS");
    let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    if let Some(reads) = text.strip_suffix('\n').and_then(|text| text.parse().ok()) {
        LAST.store(reads, Ordering::Relaxed);
    }
    LAST.load(Ordering::Relaxed)
}
