//! Who plays a case, and why it may not be played.

use std::sync::Arc;

use thiserror::Error;

use crate::contract::Role;
use crate::contract::limits::Limits;
use crate::engine::OpenError;
use crate::error::{LoadError, StoreError};
use crate::guest::component::Component;
use crate::guest::sandbox::Sandbox;

/// Who plays.
pub struct Cast {
    /// Runs the rules. The components were compiled by it.
    pub sandbox: Arc<Sandbox>,
    /// What a call may use.
    pub limits: Limits,
    /// The rule whose answers are written down.
    pub rule: Arc<Component>,
    /// What comes before it in the chain, each with its default settings: a rule that makes faves, say.
    pub companions: Vec<Arc<Component>>,
}

/// Whether cases of this rule need a companion that makes faves: it makes none itself.
pub fn needs_faves(rule: &Component) -> bool {
    rule.description.role != Role::Handler
}

/// Why a case could not be played.
#[derive(Debug, Error)]
pub enum CaseError {
    /// A line that says nothing that can happen.
    #[error("line {number}, {line:?}: {problem}")]
    Line {
        /// Counted from 1.
        number: usize,
        /// The line.
        line: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A rule wakes itself more often than a case can tell.
    #[error("more than {0} timers come due in one line; let less time pass")]
    Endless(usize),
    /// Two rules of the cast have one name.
    #[error("two rules are named {0}, and a companion must be another rule; rename one of them")]
    SameName(String),
    /// The rule refuses the settings of the case.
    #[error("the rule refuses these settings: {0}")]
    Refused(LoadError),
    /// The engine could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store in memory failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
