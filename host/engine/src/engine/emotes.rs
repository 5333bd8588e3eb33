//! What a change of the emotes that a channel has leaves in the log. Rules and counts see emotes in the lines that have them; the change
//! itself is a fact for people, and a run passes over it.

use crate::contract::EmoteProvider;
use crate::engine::Engine;
use crate::store::log::Record;

impl Engine {
    /// Notes that emotes of a provider came to a channel, and that others went; each has a name and the provider's id. The channel is
    /// empty for those that every channel has.
    pub fn emotes_changed(
        &mut self,
        channel: &str,
        provider: EmoteProvider,
        added: Vec<(String, String)>,
        removed: Vec<(String, String)>,
    ) {
        let length = |(name, id): &(String, String)| name.len() + id.len() + 10;
        self.pending.bytes += added.iter().chain(&removed).map(length).sum::<usize>();
        let (now, channel) = (self.now, channel.to_owned());
        self.pending.record(Record::Emotes { now, channel, provider, added, removed });
    }
}
