//! Reading a file that may be damaged: redb asserts in many places what its checksums do not cover, so a damaged file may end in a
//! panic. In here that is an error as any other.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use redb::{Builder, Database};

use crate::error::StoreError;

/// redb's cache in bytes. Its default of 1 GiB is more than a Pi has to spare.
const CACHE_BYTES: usize = 8 << 20;

thread_local! {
    static READS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread reads a file whose damage may panic. Such a panic becomes an error, and its own words need not be shown.
pub fn reads_a_store() -> bool {
    READS.get()
}

/// Does something with a file that may be damaged.
pub(crate) fn guarded<V>(read: impl FnOnce() -> Result<V, StoreError>) -> Result<V, StoreError> {
    let before = READS.replace(true);
    // What the closure has made is gone when it panics.
    let done = catch_unwind(AssertUnwindSafe(read));
    READS.set(before);
    done.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        let words = words.unwrap_or("what is in it cannot be").lines().next().unwrap_or_default();
        Err(StoreError::Broken(format!("it contradicts itself ({words})")))
    })
}

pub(crate) fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}
