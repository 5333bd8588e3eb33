//! Why a run cannot begin or go on.

use crate::engine::OpenError;
use crate::error::{SlotError, StoreError};

/// Why a run cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A rule of the run cannot start.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A rule that was live then cannot be loaded now.
    #[error("the rule that was live in slot {slot} cannot be loaded: {problem}")]
    Rule {
        /// The slot.
        slot: String,
        /// What is wrong.
        problem: String,
    },
}

impl RunError {
    /// The rule of a slot cannot go on with what is there.
    pub(super) fn of_slot(slot: &str, error: SlotError) -> Self {
        match error {
            SlotError::Store(error) => Self::Store(error),
            SlotError::Rule(error) => {
                Self::Rule { slot: slot.to_owned(), problem: error.to_string() }
            }
        }
    }
}
