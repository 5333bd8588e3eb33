//! The outputs of all channels: of rules, and those that the engine shows itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::info;

use crate::chain::pending::Pending;
use crate::contract::Happening;
use crate::engine::{Engine, Outputs};
use crate::error::StoreError;
use crate::overlay::Overlay;
use crate::store::tables::Stream;

/// Who shows the outputs that no rule shows: `stream`, which says whether the channel is live. No slot may have this name.
pub const HOST: &str = "heatd";

/// The output of each channel that says `live`, `offline` or `unknown`.
pub const STREAM_OUTPUT: &str = "stream";

impl Engine {
    /// Keeps the name of an output that somebody else shows for a while, so that it is taken back when nobody does any more.
    pub fn name_output(&mut self, channel: &str, name: &str) {
        let key = (Arc::from(channel), name.to_owned());
        if self.channels.contains_key(channel) && !self.outputs().contains_key(&key) {
            self.pending.overlay().outputs.insert(key, (HOST.into(), None));
            self.pending.dirty = true;
        }
    }

    /// The stored outputs, those of rules that are gone taken back.
    pub(crate) fn adopt_outputs(&mut self) -> Result<Outputs, StoreError> {
        let overlay = self.pending.overlay();
        let mut outputs = Outputs::new();
        for ((channel, name), (slot, stored)) in overlay.stored_outputs()? {
            // What a slot shows again that was off is not stored yet.
            let text = overlay.output(&channel, &name)?.map_or(stored, |(_, text)| text);
            let shown = *slot == *HOST
                || self.channels.get(&channel).is_some_and(|channel| {
                    channel.slots.iter().any(|it| it.key.slot == slot && it.conduct.is_on())
                });
            let of_host = *slot == *HOST && !self.channels.contains_key(&channel);
            let shown = shown && !of_host && !name.starts_with("rules/");
            // How a slot stands is told anew below.
            let is_standing = *slot == *HOST && name.starts_with("rules/");
            if !shown && text.is_some() && !is_standing {
                info!(
                    channel = &*channel,
                    output = name,
                    rule = &*slot,
                    "output taken back: its rule is gone"
                );
            }
            if !shown && text.is_some() {
                overlay.outputs.insert((Arc::clone(&channel), name.clone()), (slot, None));
            }
            outputs.insert((channel, name), text.filter(|_| shown));
        }
        for channel in self.channels.keys() {
            let state = state_name(self.streams.get(channel));
            show_stream(overlay, channel, state);
            outputs.insert((Arc::clone(channel), STREAM_OUTPUT.to_owned()), Some(state.to_owned()));
        }
        for standing in self.standings() {
            let (channel, text) = (standing.channel.as_str().into(), standing.text());
            let key = (channel, standing.output());
            self.pending.overlay().outputs.insert(key.clone(), (HOST.into(), Some(text.clone())));
            outputs.insert(key, Some(text));
        }
        Ok(outputs)
    }
}

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
    pending.overlay().streams.insert(Arc::clone(channel), stream);
    show_stream(pending.overlay(), channel, state_name(Some(&stream)));
    pending.urgent = true;
    true
}

pub(crate) fn show_stream(overlay: &mut Overlay, channel: &Arc<str>, state: &str) {
    let output = (Arc::clone(channel), STREAM_OUTPUT.to_owned());
    overlay.outputs.insert(output, (HOST.into(), Some(state.to_owned())));
}

/// The state of a stream in a word: `unknown` while nobody has said.
pub fn state_name(stream: Option<&Stream>) -> &'static str {
    match stream {
        None => "unknown",
        Some(Stream { live: true, .. }) => "live",
        Some(Stream { live: false, .. }) => "offline",
    }
}
