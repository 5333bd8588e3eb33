//! The commit: everything that was decided becomes one durable transaction, and only then leaves.

use std::sync::Arc;

use crate::chain::pending::Say;
use crate::contract::Message;
use crate::engine::{Engine, Outputs};
use crate::error::StoreError;
use crate::overlay::Written;
use crate::store::log;
use crate::store::record::Record;

/// What the owner has to do after a commit. All of it is durable.
#[derive(Debug, Default)]
pub struct Committed {
    /// Whether an output has changed; [`Engine::outputs`] has them all.
    pub outputs_changed: bool,
    /// Messages to publish at least once, with the number to pass to [`Engine::sent`] once a broker has acknowledged.
    pub messages: Vec<(u64, Message)>,
    /// Messages to publish at most once: what cannot be sent now is not sent.
    pub passing: Vec<Message>,
    /// Chat lines to say.
    pub says: Vec<Say>,
    /// Channels and logins: people whose faves are counted by login, because nobody knows their ids. [`Engine::identify`] tells who they are.
    pub unnamed: Vec<(Arc<str>, String)>,
}

/// More records than this are committed before more is taken in.
const FULL_RECORDS: usize = 4096;

/// So are more bytes of events than this.
const FULL_BYTES: usize = 4 << 20;

impl Engine {
    /// Whether something is decided and not committed.
    pub fn is_pending(&self) -> bool {
        self.pending.is_dirty()
    }

    /// Whether something outside waits for the commit: a fave, an output, a message, an acknowledgement.
    pub fn is_urgent(&self) -> bool {
        self.pending.is_urgent()
    }

    /// How many records wait for the commit.
    pub fn pending_records(&self) -> usize {
        self.pending.records().len()
    }

    /// Whether so much waits that it has to be committed before more is taken in: memory and blocks stay small.
    pub fn is_full(&self) -> bool {
        self.pending.records().len() >= FULL_RECORDS || self.pending.bytes() >= FULL_BYTES
    }

    /// Writes all that was decided as one durable transaction, and returns what has to leave now.
    pub fn commit(&mut self) -> Result<Committed, StoreError> {
        self.end_rested();
        self.check_series()?;
        self.count_series();
        if !self.pending.is_dirty() {
            return Ok(Committed::default());
        }
        // A few rows of dead generations go with each commit, so that no single one is slow.
        self.pending.remove_some()?;
        let blocks = match &mut self.log {
            Some(log) => log.encode(self.next_record, self.pending.records())?,
            None => Vec::new(),
        };
        let records: u64 = blocks.iter().map(|block| u64::from(block.records)).sum();
        let next_record = self.next_record + records;
        // In the same transaction as the records before it: a checkpoint never knows of a record that was lost.
        self.keep_checkpoints(next_record)?;
        let now = self.now;
        let series = self.series.as_ref().map(|series| (series.shared(), now));
        let overlay = self.pending.read();
        self.store.write(|transaction| {
            overlay.write(transaction, now)?;
            log::append(transaction, &blocks)?;
            // The series count what is in the log: so they come after it.
            series.map_or(Ok(()), |(series, now)| series.write(transaction, now))
        })?;
        self.next_record = next_record;
        let snapshot = self.store.snapshot()?;
        let Written { outputs, outbox } = self.pending.overlay().written(snapshot);
        let outputs_changed = !outputs.is_empty();
        let outputs: Outputs = outputs.into_iter().map(|(key, (_, text))| (key, text)).collect();
        if let Some(series) = &self.series {
            series.shared().written();
        }
        self.note_levels(&outputs);
        self.outputs.extend(outputs);
        (self.published, self.counted) = (0, 0);
        let messages =
            outbox.into_iter().filter_map(|(number, message)| Some((number, message?))).collect();
        let (says, passing) = self.pending.committed();
        let unnamed = std::mem::take(&mut self.unnamed);
        Ok(Committed { outputs_changed, messages, passing, says, unnamed })
    }

    /// The records since the last call. A commit drops those that nobody has taken.
    pub fn take_unpublished(&mut self) -> &[Record] {
        let from = std::mem::replace(&mut self.published, self.pending.records().len());
        &self.pending.records()[from..]
    }

    /// A broker has acknowledged a message of the outbox.
    pub fn sent(&mut self, number: u64) -> Result<(), StoreError> {
        self.pending.sent(number)
    }
}
