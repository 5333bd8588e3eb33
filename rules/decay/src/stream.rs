//! Heat and record of one stream.

use heat_rule::Timestamp;

use crate::configured::Configured;
use crate::memory::Memory;

/// Starts again, unless the stream only broke off for a short time.
pub(crate) fn started(settings: &Configured, memory: &mut Memory, now: Timestamp) {
    let broke_off = memory.ended > 0 && now.saturating_sub(memory.ended) < settings.grace;
    memory.ended = 0;
    if !broke_off {
        begin(settings, memory, now);
    }
}

/// Sets the heat to the floor, and the record with it.
pub(crate) fn begin(settings: &Configured, memory: &mut Memory, now: Timestamp) {
    memory.set(settings.floor, now);
    memory.record = 0;
}
