//! Writes what is left without a person, in the transaction of a commit.

use redb::{ReadableTable, WriteTransaction};

use super::Erasure;
use crate::error::StoreError;
use crate::store::changes::AuditEntry;
use crate::store::dead_letter::DeadLetter;
use crate::store::forget::strip::INSTEAD;
use crate::store::log::{decode, encode};
use crate::store::tables::{AUDIT, CHECKPOINTS, DEAD_LETTERS, IMPORTED, LOG, STATE};

impl Erasure {
    /// Writes everything but what the overlay of the engine writes: its changes come later.
    pub(crate) fn write(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        {
            let mut log = transaction.open_table(LOG)?;
            for (number, (was, block)) in &self.blocks {
                // Its time may have come since.
                let is = log.get(number)?.map(|row| (row.value().0, row.value().1, row.value().2));
                match block {
                    _ if is != Some(*was) => {}
                    Some(block) => drop(log.insert(number, block.row())?),
                    None => drop(log.remove(number)?),
                }
            }
            let mut checkpoints = transaction.open_table(CHECKPOINTS)?;
            for (number, (at, state)) in &self.checkpoints {
                let key = (&*self.channel, *number);
                let is_there = checkpoints.get(key)?.is_some();
                match state {
                    _ if !is_there => {}
                    Some(state) => drop(checkpoints.insert(key, (*at, state.as_slice()))?),
                    None => drop(checkpoints.remove(key)?),
                }
            }
            let mut imported = transaction.open_table(IMPORTED)?;
            imported.retain(|(channel, _, id, _), _| {
                channel != self.channel || !self.who.ids().any(|it| it == id)
            })?;
            let mut state = transaction.open_table(STATE)?;
            state.retain_in((&*self.channel, "", 0, "").., |(channel, slot, _, key), _| {
                channel != self.channel
                    || self.live.contains(slot)
                    || !self.who.is_named_in_key(key)
            })?;
        }
        self.write_dead_letters(transaction)?;
        self.write_audit_entries(transaction)
    }

    fn write_dead_letters(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut letters = transaction.open_table(DEAD_LETTERS)?;
        let mut changed: Vec<(u64, Option<DeadLetter>)> = Vec::new();
        for row in letters.iter()? {
            let (number, letter) = row?;
            let letter: DeadLetter = decode(letter.value())?;
            if self.is_theirs(&letter) {
                changed.push((number.value(), None));
            } else if letter.channel == self.channel && self.who.is_named_in(&letter.cause) {
                let letter = DeadLetter { cause: INSTEAD.to_owned(), ..letter };
                changed.push((number.value(), Some(letter)));
            }
        }
        for (number, letter) in changed {
            match letter {
                Some(letter) => drop(letters.insert(number, encode(&letter)?.as_slice())?),
                None => drop(letters.remove(number)?),
            }
        }
        Ok(())
    }

    fn write_audit_entries(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut audit = transaction.open_table(AUDIT)?;
        let mut changed: Vec<(u64, AuditEntry)> = Vec::new();
        for row in audit.iter()? {
            let (number, entry) = row?;
            let mut entry: AuditEntry = decode(entry.value())?;
            if self.unname_audit_entry(&mut entry) {
                changed.push((number.value(), entry));
            }
        }
        for (number, entry) in changed {
            audit.insert(number, encode(&entry)?.as_slice())?;
        }
        Ok(())
    }
}
