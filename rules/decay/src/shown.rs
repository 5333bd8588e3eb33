//! What is shown, and when the rule is woken to show something else. What has not changed is not told again.

use heat_rule::{Call, Timestamp, half_life};

use crate::configured::Configured;
use crate::memory::Memory;
use crate::{Decay, heat};

/// The shown number falls at most four times a second, in milliseconds.
const SHORTEST_WAIT: u64 = 250;

/// The timer.
const FALL: &str = "fall";

/// Shows heat, record and level as they are now, and sets the timer.
pub(crate) fn show(call: &mut Call<Decay>, settings: &Configured, memory: &mut Memory) {
    let shown = half_life::degrees(heat::at(memory, settings, call.now()));
    memory.record = memory.record.max(shown);
    let anew = !memory.outputs.starts_with(&settings.outputs);
    if anew {
        take_back(call, settings, memory);
    }
    if anew || memory.shown.0 != shown {
        call.show(&settings.output, shown);
    }
    if !settings.record_output.is_empty() && (anew || memory.shown.1 != memory.record) {
        call.show(&settings.record_output, memory.record);
    }
    memory.shown = (shown, memory.record);
    show_level(call, settings, memory, anew);
    wake(call, settings, memory, shown);
}

fn show_level(call: &mut Call<Decay>, settings: &Configured, memory: &mut Memory, anew: bool) {
    let level = settings.level(memory.shown.0);
    let before = memory.outputs.strip_prefix(&settings.outputs);
    if !anew && before == Some(level) {
        return;
    }
    // Where nothing was shown, there is nothing to take back.
    let nothing = level.is_empty() && memory.outputs.is_empty();
    if !settings.level_output.is_empty() && !nothing {
        call.show(&settings.level_output, level);
    }
    memory.outputs = format!("{}{level}", settings.outputs);
}

/// Takes back the outputs of earlier settings that these do not have.
fn take_back(call: &mut Call<Decay>, settings: &Configured, memory: &Memory) {
    let now: Vec<&str> = settings.outputs.split('\n').collect();
    for before in memory.outputs.split('\n').take(3) {
        if !before.is_empty() && !now.contains(&before) {
            call.show(before, "");
        }
    }
}

/// Sets the timer for the moment at which the shown number falls, and not before the shortest wait.
fn wake(call: &mut Call<Decay>, settings: &Configured, memory: &mut Memory, shown: u64) {
    let now = call.now();
    let Some(falls) = heat::falls_at(memory, settings, now, shown) else {
        if memory.wakes != 0 {
            call.cancel_wake(FALL);
            memory.wakes = 0;
        }
        return;
    };
    let at = falls.max(now + SHORTEST_WAIT);
    if !will_do(memory.wakes, now, falls, at) {
        call.wake_at(FALL, at);
        memory.wakes = at;
    }
}

/// Whether the timer is set for a moment that is as good: the number has fallen by then, and it is no later than it has to be. In
/// a storm of faves that spares a new timer for most of them.
fn will_do(wakes: Timestamp, now: Timestamp, falls: Timestamp, at: Timestamp) -> bool {
    wakes > now && wakes >= falls && wakes <= at
}
