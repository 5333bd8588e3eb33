//! The arithmetic of the heat: what is left of it, what is shown of it, and when that changes.

use heat_rule::{Timestamp, half_life};

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

/// The nearest whole number, a half down: then a number ends exactly half a degree below it, where the timer is set.
pub(crate) fn degrees(heat: f64) -> u64 {
    (heat - 0.5).ceil().max(0.0) as u64
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_is_shown_as_the_number_below() {
        for (heat, shown) in [(0.0, 0), (0.5, 0), (0.51, 1), (1.5, 1), (1.51, 2), (1e30, u64::MAX)]
        {
            assert_eq!(degrees(heat), shown, "{heat}");
        }
    }
}
