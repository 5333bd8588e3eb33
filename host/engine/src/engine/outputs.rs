//! The outputs of all channels: of rules, and those that the engine shows itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::{info, warn};

use crate::chain::stream::{HOST, STREAM_OUTPUT, show_stream, state_name};
use crate::contract::effects::is_notice;
use crate::engine::{Engine, Outputs};
use crate::error::StoreError;
use crate::store::membership::ChannelOverride;

/// What the names of outputs begin with that tell of a channel's stream. No rule can name an output so.
const OF_STREAM: &str = "stream/";

impl Engine {
    /// Keeps the name of an output that somebody else shows for a while, so that it is taken back when nobody does any more.
    pub fn name_output(&mut self, channel: &str, name: &str) {
        let key = (Arc::from(channel), name.to_owned());
        if self.channels.contains_key(channel) && !self.outputs().contains_key(&key) {
            self.pending.overlay().name_output(&key.0, key.1, HOST.into());
        }
    }

    /// Shows a notice of the host in a channel: what people have to know, as `notice-NAME`. None takes it back.
    pub fn notice(&mut self, channel: &str, name: &str, text: Option<String>) {
        let key = (Arc::from(channel), format!("notice-{name}"));
        let shown = self.outputs().get(&key).cloned().flatten();
        if self.channels.contains_key(channel) && shown != text {
            self.pending.overlay().show(&key.0, key.1, HOST.into(), text);
        }
    }

    /// Shows what is known of a channel's stream, such as its title, as `stream/NAME`. None takes it back.
    pub fn show_of_stream(&mut self, channel: &str, name: &str, text: Option<String>) {
        let key = (Arc::from(channel), format!("{OF_STREAM}{name}"));
        let text = text.filter(|text| !text.is_empty());
        let shown = self.outputs().get(&key).cloned().flatten();
        if self.channels.contains_key(channel) && shown != text {
            self.pending.overlay().show(&key.0, key.1, HOST.into(), text);
        }
    }

    /// The stored outputs, those of rules that are gone taken back.
    pub(crate) fn adopt_outputs(&mut self) -> Result<Outputs, StoreError> {
        self.keep_what_was_shown()?;
        let overlay = self.pending.overlay();
        let mut outputs = Outputs::new();
        for ((channel, name), (slot, stored)) in overlay.stored_outputs()? {
            // What a slot shows again that was off is not stored yet.
            let text = overlay.output(&channel, &name)?.map_or(stored, |(_, text)| text);
            let shown = *slot == *HOST
                || self.channels.get(&channel).is_some_and(|channel| {
                    channel.slots.iter().any(|it| it.key.slot == slot && it.breaker.is_on())
                });
            let of_host = *slot == *HOST && !self.channels.contains_key(&channel);
            // How a slot stands is told again below, a notice of the host and what is known of a stream by whoever knows whether it still holds.
            let is_told_again = *slot == *HOST
                && (name.starts_with("rules/") || name.starts_with(OF_STREAM) || is_notice(&name));
            let shown = shown && !of_host && !is_told_again;
            if !shown && text.is_some() && !is_told_again {
                info!(
                    channel = &*channel,
                    output = name,
                    rule = &*slot,
                    "output taken back: its rule is gone"
                );
            }
            if !shown && text.is_some() {
                overlay.show(&channel, name.clone(), slot, None);
            }
            outputs.insert((channel, name), text.filter(|_| shown));
        }
        for channel in self.channels.keys() {
            let state = state_name(self.streams.get(channel));
            show_stream(overlay, channel, state);
            outputs.insert((Arc::clone(channel), STREAM_OUTPUT.to_owned()), Some(state.to_owned()));
        }
        for status in self.slot_statuses() {
            let (channel, text) = (status.channel.as_str().into(), Some(status.text()));
            let output = status.output();
            self.pending.overlay().show(&channel, output.clone(), HOST.into(), text.clone());
            outputs.insert((channel, output), text);
        }
        Ok(outputs)
    }

    /// Keeps what channels showed that the configuration has dropped: a rule shows only what changes, and they may come again, also under another
    /// login.
    fn keep_what_was_shown(&mut self) -> Result<(), StoreError> {
        let known = self.pending.overlay().snapshot().channel_overrides()?;
        let mut gone: BTreeMap<Arc<str>, BTreeMap<String, BTreeMap<String, String>>> =
            BTreeMap::new();
        for ((channel, name), (slot, text)) in self.pending.overlay().stored_outputs()? {
            let is_here = self.channels.contains_key(&channel) || known.contains_key(&*channel);
            if let Some(text) = text.filter(|_| !is_here && *slot != *HOST) {
                let shown = gone.entry(channel).or_default();
                shown.entry(slot.to_string()).or_default().insert(name, text);
            }
        }
        for (channel, shown) in gone {
            let dropped = ChannelOverride { added: false, configured: false, at: self.now, shown };
            self.pending.overlay().admin_rows().members.insert(channel, Some(dropped));
        }
        Ok(())
    }

    /// Shows something in the name of a slot.
    pub(crate) fn show(
        &mut self,
        channel: &Arc<str>,
        slot: &Arc<str>,
        output: String,
        text: String,
    ) {
        let text = Some(text).filter(|text| !text.is_empty());
        self.pending.overlay().show(channel, output, Arc::clone(slot), text);
    }

    /// Shows what a slot showed before it was off, where nobody else shows it now.
    pub(crate) fn show_again(
        &mut self,
        channel: &Arc<str>,
        slot: &Arc<str>,
        texts: BTreeMap<String, String>,
    ) -> Result<(), StoreError> {
        for (output, text) in texts {
            match self.pending.overlay().output(channel, &output)? {
                Some((owner, Some(_))) if owner != *slot => {}
                _ => self.show(channel, slot, output, text),
            }
        }
        Ok(())
    }

    /// Takes back outputs of a slot.
    pub(crate) fn take_back(
        &mut self,
        channel: &Arc<str>,
        slot: &str,
        which: impl Fn(&str) -> bool,
    ) -> Result<(), StoreError> {
        for (name, text) in self.pending.overlay().shown_by(channel, slot)? {
            if text.is_some() && which(&name) {
                warn!(channel = &**channel, output = name, rule = slot, "output taken back");
                self.pending.overlay().show(channel, name, slot.into(), None);
            }
        }
        Ok(())
    }
}
