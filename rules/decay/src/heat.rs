//! The arithmetic of the heat: what is left of it, what is shown of it, and when that changes.

use heat_rule::Timestamp;
use heat_rule::half_life::{self, degrees};

use crate::configured::Configured;
use crate::memory::Memory;

/// The heat at a time.
pub(crate) fn at(memory: &Memory, settings: &Configured, now: Timestamp) -> f64 {
    // A heat that fell to the floor of yesterday's settings may be below today's.
    within(
        settings,
        half_life::left(memory.heat, now.saturating_sub(memory.at), settings.half_life),
    )
}

/// A heat within floor and cap.
pub(crate) fn within(settings: &Configured, heat: f64) -> f64 {
    heat.min(settings.cap).max(settings.floor)
}

/// When this shown number will be a lower one. None when it stays: without a half-life, and at the floor.
pub(crate) fn falls_at(
    memory: &Memory,
    settings: &Configured,
    now: Timestamp,
    shown: u64,
) -> Option<Timestamp> {
    if settings.half_life == 0 || shown <= degrees(settings.floor) {
        return None;
    }
    // Of the heat now, and not of the kept one: the cap of new settings may have cut it.
    let heat = at(memory, settings, now);
    let wait = half_life::wait(heat, shown as f64 - 0.5, settings.half_life);
    // The last digit of a logarithm must not wake the rule a moment too soon.
    let early = degrees(half_life::left(heat, wait, settings.half_life)) >= shown;
    Some(now.saturating_add(wait).saturating_add(u64::from(early)))
}
