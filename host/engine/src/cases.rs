//! Case files: chat in, effects out. What a rule does, written down so that it can be played.
//!
//! A file is a list of lines. `name: text` is a chat line, `+10m` lets time pass, `mqtt topic: text` is a message, `mqtt
//! topic (retained): text` one that the broker had kept, and `set name = value` a setting, in the values of TOML, before anything
//! else. A name may say what the person is, and which words of the line are emotes: `ann (moderator, tier two, first, emote Kappa)`. `* raid bob 120`,
//! `* sub ann two`, `* gift ann 5`, `* gift nobody 5 two`, `* cheer ann 100`, `* follow ann`, `* hype-train ID progress LEVEL POINTS GOAL`, `* stream start` and `* stream end` are what else Twitch tells. What the rule answers stands indented below, without what it
//! keeps for itself (`put`, `delete`). A multiplier or formula gets its faves from the rules that are played before it. Settings that are
//! refused are answered with the reason below the last line.
//!
//! Reading order: `line` reads a line, `stage` is an engine that lines happen to, `play` writes down what came of it, `compare`
//! says where two plays part. `section` keeps case files inside of a component, `rehearse` plays one over and over and measures.

mod compare;
mod line;
mod play;
mod rehearse;
mod section;
mod stage;

use std::sync::Arc;

use thiserror::Error;

use crate::contract::Role;
use crate::contract::limits::Limits;
use crate::engine::OpenError;
use crate::error::StoreError;
use crate::guest::rule::Component;
use crate::guest::sandbox::Sandbox;

pub use compare::difference;
#[cfg(test)]
pub(crate) use line::{Line, read as read_line, setting as read_setting};
pub use line::{chat_line, given, person};
pub use play::{Outcome, judge, play};
pub use rehearse::{Rehearsal, rehearse};
pub use section::{Case, MOST_BYTES, SECTION, embedded};

/// Events that one instance is called for in the two plays of a case: each has its own, or all of a group share one.
pub const GROUPS: [u32; 2] = [1, 64];

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
    /// The engine could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store in memory failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
