//! How long the longest tests go on: kills and soaks find more the longer they last, and every change would wait for them.
//!
//! `cargo xtask nightly` sets `HEAT_TEST_FULL`, and then they go on for as long as they are meant to.

/// The first in each run of the tests, the second in a full one.
pub fn short_or_full<T>(short: T, full: T) -> T {
    if std::env::var_os("HEAT_TEST_FULL").is_some() { full } else { short }
}
