//! Writes an overlay into the tables, in the transaction of a commit.

use redb::WriteTransaction;

use super::Overlay;
use crate::error::StoreError;
use crate::store::tables::{
    CLIPS, FORMER_NAMES, IMPORTED, META, OUTBOX, OUTPUTS, PEOPLE, STATE, STREAMS, TALLIES, TIMERS,
};

impl Overlay {
    /// Writes every change, at this time in milliseconds since 1970. Only tables that something is written into are opened: each of them costs a
    /// page of the transaction.
    pub(crate) fn write(&self, transaction: &WriteTransaction, now: u64) -> Result<(), StoreError> {
        // First what is forgotten: what came later stays.
        if let Some(forgetting) = &self.admin_rows.forgetting {
            forgetting.write(transaction)?;
        }
        self.write_state(transaction)?;
        self.write_counts(transaction)?;
        self.write_names(transaction, now)?;
        self.write_outgoing(transaction)?;
        self.admin_rows.write(transaction)
    }

    fn write_state(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if self.state.values().any(|known| !known.changes().is_empty()) {
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
        }
        if !self.timers.is_empty() {
            let mut timers = transaction.open_table(TIMERS)?;
            for ((slot, name), at) in &self.timers {
                let key = (&*slot.channel, &*slot.slot, slot.generation, name.as_str());
                match at {
                    Some(at) => drop(timers.insert(key, at)?),
                    None => drop(timers.remove(key)?),
                }
            }
        }
        Ok(())
    }

    fn write_counts(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if self.counts.values().any(|counts| !counts.tallies.changes().is_empty()) {
            let mut tallies = transaction.open_table(TALLIES)?;
            for (channel, counts) in &self.counts {
                for ((kind, person, item), tally) in counts.tallies.changes() {
                    let key = (&**channel, kind.code(), person.as_str(), item.as_str());
                    let row = (tally.faves, tally.weight, tally.people);
                    // A tally that was taken back entirely is removed, as if it had never been there.
                    match row {
                        (0, 0, 0) => drop(tallies.remove(key)?),
                        _ => drop(tallies.insert(key, row)?),
                    }
                }
            }
        }
        if !self.imported.is_empty() {
            let mut imported = transaction.open_table(IMPORTED)?;
            for ((channel, source, person, item), row) in &self.imported {
                let key = (&**channel, source.as_str(), person.as_str(), item.as_str());
                imported.insert(key, row)?;
            }
        }
        Ok(())
    }

    /// What people are called, and what they were called before.
    fn write_names(&self, transaction: &WriteTransaction, now: u64) -> Result<(), StoreError> {
        if self.counts.values().all(|counts| counts.names.changes().is_empty()) {
            return Ok(());
        }
        let mut people = transaction.open_table(PEOPLE)?;
        for (channel, counts) in &self.counts {
            for (id, names) in counts.names.changes() {
                let key = (&**channel, id.as_str());
                let Some((login, name)) = names else {
                    people.remove(key)?;
                    let mut former = transaction.open_table(FORMER_NAMES)?;
                    former.retain_in((key.0, key.1, 0)..=(key.0, key.1, u64::MAX), |_, _| false)?;
                    continue;
                };
                let before = people.insert(key, (login.as_str(), name.as_str()))?;
                if let Some(before) = before.filter(|before| before.value().0 != login) {
                    let mut former = transaction.open_table(FORMER_NAMES)?;
                    former.insert((key.0, key.1, now), before.value())?;
                }
            }
        }
        Ok(())
    }

    fn write_outgoing(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if !self.outputs.is_empty() {
            let mut outputs = transaction.open_table(OUTPUTS)?;
            for ((channel, name), (slot, text)) in &self.outputs {
                outputs.insert((&**channel, name.as_str()), (&**slot, text.as_deref()))?;
            }
        }
        if !self.streams.is_empty() {
            let mut streams = transaction.open_table(STREAMS)?;
            for (channel, stream) in &self.streams {
                streams.insert(&**channel, (stream.live, stream.since))?;
            }
        }
        self.write_numbered(transaction)?;
        if let Some(identity) = self.admin_rows.identity {
            transaction.open_table(META)?.insert("identity", identity)?;
        }
        Ok(())
    }

    /// Messages and clips, and the number that the next of them gets.
    fn write_numbered(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if self.outbox.is_empty() && self.clips.is_empty() {
            return Ok(());
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
