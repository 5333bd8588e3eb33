//! When the engine's thread wants to be woken.

use std::time::Instant;

/// When the engine wants to be woken.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Agenda {
    /// Of the next timer, in milliseconds since 1970.
    pub(crate) timer: Option<u64>,
    /// Of a group that has waited long enough. Not by the wall clock, which may be set.
    pub(crate) flush: Option<Instant>,
}
