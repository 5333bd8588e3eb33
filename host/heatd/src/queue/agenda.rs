//! The agenda: when the engine's thread wants to be woken.

use std::time::Instant;

/// When the engine wants to be woken.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Agenda {
    /// For the next timer, in milliseconds since 1970.
    pub(crate) timer: Option<u64>,
    /// For the commit of a group that has waited long enough. By the monotonic clock, because the wall clock may be set.
    pub(crate) flush: Option<Instant>,
}
