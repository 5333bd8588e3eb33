//! Writes an overlay into the tables, in the transaction of a commit.

use redb::WriteTransaction;

use super::Overlay;
use crate::error::StoreError;
use crate::tables::{CLIPS, META, OUTBOX, OUTPUTS, PEOPLE, STATE, STREAMS, TALLIES, TIMERS};

impl Overlay {
    /// Writes every change.
    pub(crate) fn write(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        self.write_state(transaction)?;
        self.write_counts(transaction)?;
        self.write_outgoing(transaction)?;
        self.kept.write(transaction)
    }

    fn write_state(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut state = transaction.open_table(STATE)?;
        for (slot, known) in &self.state {
            for (key, value) in known.changes() {
                let key = (&*slot.channel, &*slot.slot, slot.generation, key.as_str());
                match value {
                    Some(value) => drop(state.insert(key, value.as_slice())?),
                    None => drop(state.remove(key)?),
                }
            }
        }
        let mut timers = transaction.open_table(TIMERS)?;
        for ((slot, name), at) in &self.timers {
            let key = (&*slot.channel, &*slot.slot, slot.generation, name.as_str());
            match at {
                Some(at) => drop(timers.insert(key, at)?),
                None => drop(timers.remove(key)?),
            }
        }
        Ok(())
    }

    fn write_counts(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut tallies = transaction.open_table(TALLIES)?;
        let mut people = transaction.open_table(PEOPLE)?;
        for (channel, counts) in &self.counts {
            for ((kind, person, item), tally) in counts.tallies.changes() {
                let row = (tally.faves, tally.weight, tally.people);
                tallies.insert((&**channel, *kind, person.as_str(), item.as_str()), row)?;
            }
            for (id, (login, name)) in counts.names.changes() {
                people.insert((&**channel, id.as_str()), (login.as_str(), name.as_str()))?;
            }
        }
        Ok(())
    }

    fn write_outgoing(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut outputs = transaction.open_table(OUTPUTS)?;
        for ((channel, name), (slot, text)) in &self.outputs {
            outputs.insert((&**channel, name.as_str()), (&**slot, text.as_deref()))?;
        }
        let mut streams = transaction.open_table(STREAMS)?;
        for (channel, stream) in &self.streams {
            streams.insert(&**channel, (stream.live, stream.since))?;
        }
        let mut outbox = transaction.open_table(OUTBOX)?;
        for (number, message) in &self.outbox {
            match message {
                Some(message) => drop(
                    outbox.insert(number, (message.topic.as_str(), message.payload.as_slice()))?,
                ),
                None => drop(outbox.remove(number)?),
            }
        }
        let mut clips = transaction.open_table(CLIPS)?;
        for (number, channel, clip) in &self.clips {
            clips.insert(number, (&**channel, clip.title.as_str(), clip.seconds))?;
        }
        transaction.open_table(META)?.insert("next-send", self.next_send)?;
        Ok(())
    }
}
