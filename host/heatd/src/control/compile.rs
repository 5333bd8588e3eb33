//! Loads the component that somebody wants to have live, and reports meanwhile how far that is.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use heat_engine::{Component, Limits, Sandbox};

use super::error::Error;
use super::progress::Progress;
use crate::data::code_cache;
use crate::rule_file::{LARGEST, TOO_LARGE};

/// How often the progress of a compilation is reported.
const TELL: Duration = Duration::from_millis(250);

/// How fast this machine compiles, learned from earlier compilations.
pub(crate) struct Speed {
    /// Microseconds for each KiB.
    per_kib: AtomicU64,
    /// Where compiled code is kept.
    cache: PathBuf,
}

impl Speed {
    pub(crate) fn new(cache: &Path) -> Self {
        // Measured with rules of 50 KB to 18 MB: about 1.6 ms for each KiB on a desk. A Raspberry Pi 4 takes some five times as long.
        let per_kib = if cfg!(target_arch = "aarch64") { 8_000 } else { 1_600 };
        Self { per_kib: AtomicU64::new(per_kib), cache: cache.to_owned() }
    }

    fn expected(&self, bytes: usize) -> Duration {
        let kib = (bytes as u64).div_ceil(1024);
        Duration::from_micros(kib.saturating_mul(self.per_kib.load(Ordering::Relaxed)))
    }

    fn took(&self, bytes: usize, time: Duration) {
        let kib = (bytes as u64).div_ceil(1024).max(1);
        let per_kib = u64::try_from(time.as_micros()).unwrap_or(u64::MAX) / kib;
        // Far faster than expected means that the code was in the cache, which says nothing about speed.
        if per_kib > self.per_kib.load(Ordering::Relaxed) / 8 {
            self.per_kib.store(per_kib, Ordering::Relaxed);
        }
    }

    /// Loads a component, and reports first how long that will take. It is not compiled to its end when nobody waits for it any more.
    pub(super) fn load(
        &self,
        sandbox: &Sandbox,
        limits: &Limits,
        bytes: &[u8],
        progress: &Progress,
    ) -> Result<Arc<Component>, Error> {
        if bytes.len() > LARGEST {
            return Err(Error::because(TOO_LARGE));
        }
        // Before anybody is told how long it takes.
        Component::check_bounds(limits, bytes).map_err(Error::because)?;
        // What was compiled before is loaded at once, and says nothing about how fast this machine compiles.
        let is_new = !sandbox.has_code(bytes);
        let expected = if is_new { self.expected(bytes.len()) } else { Duration::ZERO };
        progress.timed("compile", expected, Duration::ZERO);
        let (started, told) = (Instant::now(), Cell::new(Duration::ZERO));
        let still_wanted = |elapsed: Duration| {
            if elapsed >= told.get() + TELL {
                told.set(elapsed);
                progress.timed("compile", expected, elapsed);
            }
            progress.is_wanted()
        };
        let component = Component::shared(sandbox, limits, bytes, &still_wanted);
        let component = component.map_err(Error::because)?;
        if is_new {
            self.took(bytes.len(), started.elapsed());
        }
        code_cache::prune(&self.cache, &sandbox.code_in_use());
        Ok(component)
    }
}
