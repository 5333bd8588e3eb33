//! Whether the stream of a channel is live, and the output that says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::chain::pending::Pending;
use crate::contract::Happening;
use crate::overlay::Overlay;
use crate::store::tables::Stream;

pub use crate::overlay::outputs::HOST;

/// The output of each channel that says `live`, `offline` or `unknown`.
pub const STREAM_OUTPUT: &str = "stream";

/// Takes note of a stream that starts or ends. False when that was known: then it is no event. Several may say so, a moderator
/// and a topic, each with an id of its own.
pub(crate) fn note_stream(
    streams: &mut BTreeMap<Arc<str>, Stream>,
    pending: &mut Pending,
    channel: &Arc<str>,
    now: u64,
    what: &Happening,
) -> bool {
    let live = match what {
        Happening::StreamStart => true,
        Happening::StreamEnd => false,
        _ => return true,
    };
    if streams.get(channel).is_some_and(|stream| stream.live == live) {
        return false;
    }
    let stream = Stream { live, since: now };
    streams.insert(Arc::clone(channel), stream);
    pending.overlay().set_stream(channel, stream);
    show_stream(pending.overlay(), channel, state_name(Some(&stream)));
    true
}

pub(crate) fn show_stream(overlay: &mut Overlay, channel: &Arc<str>, state: &str) {
    overlay.show(channel, STREAM_OUTPUT.to_owned(), HOST.into(), Some(state.to_owned()));
}

/// The state of a stream in a word: `unknown` while nobody has said.
pub fn state_name(stream: Option<&Stream>) -> &'static str {
    match stream {
        None => "unknown",
        Some(Stream { live: true, .. }) => "live",
        Some(Stream { live: false, .. }) => "offline",
    }
}
