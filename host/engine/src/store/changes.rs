//! What is changed while running: of each slot, and the audit log of all of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::contract::digest::Digest;
use crate::contract::settings::Given;

/// What a slot runs by a change made while running. It wins over the configuration until that says something else of the slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlotOverride {
    /// What the configuration said of the slot when it was changed.
    pub(crate) base: Digest,
    /// The component.
    pub digest: Digest,
    /// The settings that were given.
    pub given: Vec<(String, Given)>,
    /// Whether it runs.
    pub status: Status,
    /// What it showed when it was turned off, to be shown again when it is on.
    #[serde(default)]
    pub(crate) shown: BTreeMap<String, String>,
    /// The slot itself was added while running. None: the configuration has it.
    #[serde(default)]
    pub added: Option<AddedSlot>,
}

/// That a slot was added while running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedSlot {
    /// The slot after which its rule is called. None: it is the last one.
    pub after: Option<String>,
}

/// Whether a slot's rule is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It is.
    On,
    /// Somebody has turned it off.
    Disabled,
    /// It failed again and again, for this reason the last time.
    Quarantined(String),
}

/// What was done to a slot, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Another component.
    Deploy,
    /// A component that ran as a shadow before, with the state it had made.
    Promote,
    /// Other settings.
    Settings,
    /// Back to what was live before.
    RollBack,
    /// Turned off.
    Disable,
    /// Turned on.
    Enable,
    /// Turned off, since it failed again and again.
    Quarantine,
    /// Events taken back.
    Undo,
    /// A moderator's order, given by the API and not in chat.
    Command,
    /// Said by the API that a stream starts or ends.
    Stream,
    /// An event that somebody made up and let happen.
    Simulate,
    /// Calls that had failed made again.
    Retry,
    /// A token of the API made or revoked.
    Token,
    /// Counts that were made elsewhere added.
    Import,
    /// A person removed.
    Forget,
    /// A channel taken up.
    AddChannel,
    /// A channel let go.
    RemoveChannel,
    /// A rule added in a slot of its own.
    AddRule,
    /// A rule removed that was added so.
    RemoveRule,
    /// A line said in chat by the API.
    Say,
    /// Somebody banned or timed out by the API.
    Ban,
    /// A ban or a timeout ended by the API.
    Unban,
    /// A line of chat removed by the API.
    RemoveLine,
}

impl Action {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Promote => "promote",
            Self::Settings => "settings",
            Self::RollBack => "rollback",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Quarantine => "quarantine",
            Self::Undo => "undo",
            Self::Command => "command",
            Self::Stream => "stream",
            Self::Simulate => "simulate",
            Self::Retry => "retry",
            Self::Token => "token",
            Self::Import => "import",
            Self::Forget => "forget",
            Self::AddChannel => "add-channel",
            Self::RemoveChannel => "remove-channel",
            Self::AddRule => "add-rule",
            Self::RemoveRule => "remove-rule",
            Self::Say => "say",
            Self::Ban => "ban",
            Self::Unban => "unban",
            Self::RemoveLine => "remove-line",
        }
    }
}

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// Login of the channel; empty for what is about heatd.
    pub channel: String,
    /// The slot; empty for what is about the channel.
    pub slot: String,
    /// What was done.
    pub action: Action,
    /// Who did it: the name of a token of the API, `file`, a moderator, or heatd itself.
    pub by: String,
    /// The component before.
    pub from: Option<Digest>,
    /// The component then.
    pub to: Option<Digest>,
    /// The settings that were given.
    pub given: Vec<(String, Given)>,
    /// Why it was refused; none when it was done.
    pub refused: Option<String>,
    /// What there is to say of it.
    pub note: String,
}
