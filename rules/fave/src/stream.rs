//! Which stream it is, for what counts once per stream.

use heat_rule::{Call, Timestamp, state};

use crate::FaveRule;
use crate::configured::Configured;
use crate::sweep;

/// When the stream began.
const STREAM: &str = "stream";

/// When it ended, if it has.
const ENDED: &str = "ended";

/// The stream that faves belong to now, by its start: also after its end, and 0 before the first.
pub(crate) fn current() -> Timestamp {
    state::get(STREAM).unwrap_or_default()
}

/// A new stream, unless it is the old one after a short break.
pub(crate) fn started(call: &mut Call<FaveRule>, settings: &Configured) {
    let now = call.now();
    let broke_off: Option<Timestamp> = state::get(ENDED);
    if broke_off.is_some() {
        call.delete(ENDED);
    }
    if broke_off.is_none_or(|at| now.saturating_sub(at) >= settings.grace) {
        call.put(STREAM, now);
        sweep::plan(call, 0);
    }
}

/// Remembers when the stream ended.
pub(crate) fn ended(call: &mut Call<FaveRule>) {
    call.put(ENDED, call.now());
}
