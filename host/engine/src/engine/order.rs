//! What is done to a slot or a channel, by whom, and why it may be refused.

use crate::store::changed::Action;

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// What is done to a slot, by whom.
#[derive(Debug, Clone)]
pub struct Order {
    /// What.
    pub action: Action,
    /// Who, for the audit log.
    pub by: String,
    /// What there is to say of it, for the audit log.
    pub note: String,
    /// The configuration says so now: nothing has to be kept beside it.
    pub configured: bool,
}

impl Order {
    /// An order by somebody.
    pub fn new(action: Action, by: &str, note: &str) -> Self {
        Self { action, by: by.to_owned(), note: note.to_owned(), configured: false }
    }
}
