//! What else a commit writes: components, changes made while running, the audit log, dead letters, checkpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};

use crate::contract::digest::Digest;
use crate::error::StoreError;
use crate::store::changes::{AuditEntry, SlotOverride};
use crate::store::dead_letter::{DeadLetter, MOST_DEAD_LETTERS};
use crate::store::forget::Erasure;
use crate::store::log::{encode, pack};
use crate::store::membership::ChannelOverride;
use crate::store::tables::*;

/// How many entries of the audit log are kept.
const MOST_ENTRIES: u64 = 10_000;

/// Rows that are seldom written.
#[derive(Default)]
pub(crate) struct AdminRows {
    pub(crate) components: BTreeMap<Digest, Arc<[u8]>>,
    /// None: the configuration holds again.
    pub(crate) changed: BTreeMap<(Arc<str>, Arc<str>), Option<SlotOverride>>,
    /// Channels that were added or removed. None: the configuration holds again.
    pub(crate) members: BTreeMap<Arc<str>, Option<ChannelOverride>>,
    /// Generation, state version, name of the rule.
    pub(crate) owners: BTreeMap<(Arc<str>, Arc<str>), (u64, u32, String)>,
    pub(crate) audit_entries: Vec<AuditEntry>,
    pub(crate) dead_letters: Vec<DeadLetter>,
    /// Letters that were run again.
    pub(crate) answered: Vec<u64>,
    /// Channel, number of the next record, time, state of all rules.
    pub(crate) checkpoints: Vec<(Arc<str>, u64, u64, Vec<u8>)>,
    /// By which exports name the store.
    pub(crate) identity: Option<u64>,
    /// A person who is removed.
    pub(crate) forgetting: Option<Box<Erasure>>,
}

impl AdminRows {
    pub(crate) fn own(&mut self, slot: &SlotKey, version: u32, rule: &str) {
        let key = (Arc::clone(&slot.channel), Arc::clone(&slot.slot));
        self.owners.insert(key, (slot.generation, version, rule.to_owned()));
    }

    /// The component of a rule that is live now.
    pub(crate) fn component(&mut self, digest: Digest, bytes: &Arc<[u8]>) {
        self.components.insert(digest, Arc::clone(bytes));
    }

    pub(crate) fn write(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if !self.owners.is_empty() {
            let mut slots = transaction.open_table(SLOTS)?;
            for ((channel, slot), (generation, version, rule)) in &self.owners {
                slots.insert((&**channel, &**slot), (*generation, *version, rule.as_str()))?;
            }
        }
        self.write_changes(transaction)?;
        self.write_members(transaction)?;
        self.write_dead_letters(transaction)?;
        if !self.checkpoints.is_empty() {
            let mut checkpoints = transaction.open_table(CHECKPOINTS)?;
            for (channel, number, at, state) in &self.checkpoints {
                checkpoints.insert((&**channel, *number), (*at, state.as_slice()))?;
            }
        }
        Ok(())
    }

    fn write_changes(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if !self.components.is_empty() {
            let mut components = transaction.open_table(COMPONENTS)?;
            for (digest, bytes) in &self.components {
                let known = components.get(&digest.0[..])?.is_some();
                if !known {
                    components.insert(&digest.0[..], pack(bytes)?.as_slice())?;
                }
            }
        }
        if !self.changed.is_empty() {
            let mut changed = transaction.open_table(SLOT_OVERRIDES)?;
            for ((channel, slot), change) in &self.changed {
                match change {
                    Some(change) => {
                        drop(changed.insert((&**channel, &**slot), encode(change)?.as_slice())?);
                    }
                    None => drop(changed.remove((&**channel, &**slot))?),
                }
            }
        }
        if !self.audit_entries.is_empty() {
            let mut audit = transaction.open_table(AUDIT)?;
            for entry in &self.audit_entries {
                let next = audit.last()?.map_or(0, |(number, _)| number.value() + 1);
                audit.insert(next, encode(entry)?.as_slice())?;
            }
            while audit.len()? > MOST_ENTRIES {
                audit.pop_first()?;
            }
        }
        Ok(())
    }

    fn write_members(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if self.members.is_empty() {
            return Ok(());
        }
        let mut members = transaction.open_table(CHANNEL_OVERRIDES)?;
        let mut streams = transaction.open_table(STREAMS)?;
        for (channel, change) in &self.members {
            match change {
                Some(change) => {
                    members.insert(&**channel, encode(change)?.as_slice())?;
                    // Nobody hears any more whether it is live.
                    streams.remove(&**channel)?;
                }
                None => drop(members.remove(&**channel)?),
            }
        }
        Ok(())
    }

    fn write_dead_letters(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        if self.dead_letters.is_empty() && self.answered.is_empty() {
            return Ok(());
        }
        let mut letters = transaction.open_table(DEAD_LETTERS)?;
        for number in &self.answered {
            letters.remove(number)?;
        }
        for letter in &self.dead_letters {
            let next = letters.last()?.map_or(0, |(number, _)| number.value() + 1);
            letters.insert(next, encode(letter)?.as_slice())?;
        }
        while letters.len()? > MOST_DEAD_LETTERS {
            letters.pop_first()?;
        }
        Ok(())
    }
}
