//! What is done to a slot or a channel, by whom, and why it may be refused.

use crate::chain::Channel;
use crate::engine::OpenError;
use crate::error::{SlotError, StoreError};
use crate::store::changes::Action;

/// What is done to a slot, by whom.
#[derive(Debug, Clone)]
pub struct ChangeRequest {
    /// What.
    pub action: Action,
    /// Who, for the audit log.
    pub by: String,
    /// What there is to say of it, for the audit log.
    pub note: String,
    /// The configuration says so now: nothing has to be kept beside it.
    pub configured: bool,
}

impl ChangeRequest {
    /// An order by somebody.
    pub fn new(action: Action, by: &str, note: &str) -> Self {
        Self { action, by: by.to_owned(), note: note.to_owned(), configured: false }
    }
}

/// Why something was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It cannot be done as things are. Nothing has changed.
    #[error("{0}")]
    Rejected(String),
    /// The store failed, and the engine stops.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ChangeError {
    pub(crate) fn no_slot(channel: &str, slot: &str) -> Self {
        Self::Rejected(format!("#{channel} has no slot {slot:?}"))
    }

    /// The same, with the names of those that it has.
    pub(crate) fn no_slot_of(channel: &Channel, slot: &str) -> Self {
        let names: Vec<&str> = channel.slots.iter().map(|it| &*it.key.slot).collect();
        let (name, names) = (&channel.name, names.join(", "));
        Self::Rejected(format!("#{name} has no slot {slot:?}; it has {names}"))
    }
}

impl From<OpenError> for ChangeError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => Self::Store(error),
            error @ OpenError::Rule { .. } => Self::Rejected(error.to_string()),
        }
    }
}

impl From<SlotError> for ChangeError {
    fn from(error: SlotError) -> Self {
        match error {
            SlotError::Rule(error) => Self::Rejected(error.to_string()),
            SlotError::Store(error) => Self::Store(error),
        }
    }
}

/// For a change that nobody waits for, and that is rejected only where it is made already.
pub(crate) fn unless_rejected(changed: Result<(), ChangeError>) -> Result<(), StoreError> {
    match changed {
        Ok(()) | Err(ChangeError::Rejected(_)) => Ok(()),
        Err(ChangeError::Store(error)) => Err(error),
    }
}
