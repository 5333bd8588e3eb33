//! Marks in the log for people: times in which a channel's chat was not heard, and changes of the emotes that a channel has. Neither
//! counts nor rules nor runs know of them; rules see emotes in the lines that have them.

use crate::contract::EmoteProvider;
use crate::engine::Engine;
use crate::error::StoreError;
use crate::series::counting::Counting;
use crate::store::marks::ENDED;
use crate::store::record::Record;
use crate::store::tables::META;

impl Engine {
    /// Notes that a channel is heard again, which it was not since `from`. Times are in milliseconds since 1970.
    pub fn gap(&mut self, now: u64, channel: &str, from: u64, why: &str) {
        if !self.channels.contains_key(channel) {
            return;
        }
        self.now = self.now.max(now);
        let (now, channel, why) = (self.now, channel.to_owned(), why.to_owned());
        self.pending.record(Record::Gap { now, channel, from: from.min(now), why });
    }

    /// Notes that nothing is heard from now on: the run ends. Where that could not be noted, the newest record has to do.
    pub fn end(&self, now: u64) -> Result<(), StoreError> {
        let series = self.series.as_ref().map(Counting::shared);
        self.store.write(|transaction| {
            transaction.open_table(META)?.insert(ENDED, now.max(self.now))?;
            series.map_or(Ok(()), |series| series.keep_levels(transaction))
        })
    }

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
        self.pending.took(added.iter().chain(&removed).map(length).sum());
        let (now, channel) = (self.now, channel.to_owned());
        self.pending.record(Record::Emotes { now, channel, provider, added, removed });
    }
}
