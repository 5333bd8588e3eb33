//! Loads what somebody wants to have live, and tells meanwhile how far that is.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use heat_engine::{Component, Limits, Sandbox};
use serde_json::json;

use super::{Refusal, Steps};
use crate::rule_file::{LARGEST, TOO_LARGE};

/// How often it is told how far a compilation is.
const TELL: Duration = Duration::from_millis(250);

/// How fast this machine compiles, as far as it has been seen.
pub(crate) struct Speed {
    /// Microseconds for each KiB.
    per_kib: AtomicU64,
}

impl Speed {
    pub(crate) fn new() -> Self {
        // Measured with rules of 50 KB to 18 MB: about 1.6 ms for each KiB on a desk. A Raspberry Pi 4 takes some five times as long.
        let per_kib = if cfg!(target_arch = "aarch64") { 8_000 } else { 1_600 };
        Self { per_kib: AtomicU64::new(per_kib) }
    }

    fn expected(&self, bytes: usize) -> Duration {
        let kib = (bytes as u64).div_ceil(1024);
        Duration::from_micros(kib.saturating_mul(self.per_kib.load(Ordering::Relaxed)))
    }

    fn took(&self, bytes: usize, time: Duration) {
        let kib = (bytes as u64).div_ceil(1024).max(1);
        let per_kib = u64::try_from(time.as_micros()).unwrap_or(u64::MAX) / kib;
        // Code that was in the cache says nothing.
        if per_kib > self.per_kib.load(Ordering::Relaxed) / 8 {
            self.per_kib.store(per_kib, Ordering::Relaxed);
        }
    }

    /// Loads a component for somebody who may go away meanwhile, and says beforehand how long that will take.
    pub(super) fn load(
        &self,
        sandbox: &Sandbox,
        limits: &Limits,
        bytes: &[u8],
        steps: &Steps,
    ) -> Result<Arc<Component>, Refusal> {
        if bytes.len() > LARGEST {
            return Err(Refusal::because(TOO_LARGE));
        }
        let expected = self.expected(bytes.len());
        tell(steps, expected, Duration::ZERO);
        let (started, told) = (Instant::now(), Cell::new(Duration::ZERO));
        let goes_on = |elapsed: Duration| {
            if elapsed >= told.get() + TELL {
                told.set(elapsed);
                tell(steps, expected, elapsed);
            }
            steps.are_wanted()
        };
        let component = Component::shared(sandbox, limits, bytes, &goes_on);
        let component = component.map_err(Refusal::because)?;
        self.took(bytes.len(), started.elapsed());
        Ok(component)
    }
}

fn tell(steps: &Steps, expected: Duration, elapsed: Duration) {
    let (expected, elapsed) = (expected.as_millis() as u64, elapsed.as_millis() as u64);
    steps.tell(json!({ "step": "compile", "expected_ms": expected, "elapsed_ms": elapsed }));
}
