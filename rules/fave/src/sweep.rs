//! Clears up: what is remembered of a person goes when it says nothing any more, so that the state stays small.
//!
//! A timer does it, some keys at a time. It is set when somebody new is remembered and rests when nobody is left.

use heat_rule::state::{self, Stored};
use heat_rule::{Call, Timestamp};

use crate::FaveRule;
use crate::configured::{Configured, Repeats};
use crate::limits::{Memory, PEOPLE, cooling};
use crate::stream;

/// The timer, and the key that says that it is set. Its value is the last key that the sweep has seen, empty before the first.
const SWEEP: &str = "sweep";

/// Keys of one call: each may need an effect, of which a call may have 256.
const AT_ONCE: u32 = 200;

/// Between two calls of one sweep, in milliseconds.
const PAUSE: u64 = 100;

/// Sets the timer, unless it is set.
pub(crate) fn plan(call: &mut Call<FaveRule>, wait: u64) {
    if state::get::<String>(SWEEP).is_none() {
        rest(call, String::new(), wait);
    }
}

fn rest(call: &mut Call<FaveRule>, seen: String, wait: u64) {
    call.put(SWEEP, seen);
    call.wake_at(SWEEP, call.now() + wait.max(PAUSE));
}

/// Looks through some keys, and plans how to go on.
pub(crate) fn sweep(call: &mut Call<FaveRule>, settings: &Configured) {
    let seen = state::get::<String>(SWEEP).unwrap_or_default();
    let after = Some(seen.as_str()).filter(|key| !key.is_empty());
    let entries = state::scan(PEOPLE, after, AT_ONCE);
    let current = match settings.repeats {
        Repeats::OncePerStream => Some(stream::current()),
        _ => None,
    };
    let mut kept = 0;
    for entry in &entries {
        if says_something(call.now(), settings, current, &entry.value) {
            kept += 1;
        } else {
            call.delete(entry.key.as_str());
        }
    }
    match entries.last() {
        Some(last) if entries.len() == AT_ONCE as usize => rest(call, last.key.clone(), PAUSE),
        // With streams, what is left goes when the next one starts.
        _ if current.is_some() || (seen.is_empty() && kept == 0) => call.delete(SWEEP),
        _ => rest(call, String::new(), settings.user_cooldown),
    }
}

fn says_something(
    now: Timestamp,
    settings: &Configured,
    stream: Option<Timestamp>,
    value: &[u8],
) -> bool {
    Memory::from_bytes(value).is_some_and(|memory| {
        cooling(now, memory.at, settings.user_cooldown) || stream == Some(memory.stream)
    })
}
