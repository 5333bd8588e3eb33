//! The records of the log: every input that a replay needs, and the facts that it must repeat.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::contract::digest::Digest;
use crate::contract::{EmoteProvider, Entry, Event, Fave, Person, Settings};

/// One input, or one fact that a replay must repeat. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// An event was taken in.
    Event {
        /// When, as the engine's monotone time of the channel.
        now: u64,
        /// The event.
        event: Box<Event>,
    },
    /// A timer came due.
    Timer {
        /// When it fired.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// The slot that had set it.
        slot: String,
        /// Its name.
        name: String,
    },
    /// A call of a rule had no effects, for the event before this record.
    Fault {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// The slot of the rule.
        slot: String,
        /// The component that ran.
        digest: Digest,
        /// Which of the event's calls of this slot: 0 for the event itself, then its faves in order.
        call: u32,
        /// What happened, for people.
        cause: String,
    },
    /// Faves were counted, for the event or timer before this record. They follow from it; they are kept so that they can be taken
    /// back without the rules of that time.
    Faves {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// Id of the event.
        event: String,
        /// What was counted.
        faves: Vec<CountedFave>,
    },
    /// Events were taken back: a run leaves them out, wherever they stand before this record.
    Undone {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// Ids of the events that a run leaves out.
        events: Vec<String>,
        /// The component that a run does without: what is live now stands in for it.
        without: Option<Digest>,
        /// The faves that do not count any more.
        taken: Vec<Fave>,
        /// The faves that count instead.
        given: Vec<Fave>,
    },
    /// A rule was called again for an event that it had failed on.
    Retried {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// The slot of the rule.
        slot: String,
        /// The event, in the form in which the rule takes it.
        event: Box<Event>,
    },
    /// A rule goes live with a state that it has made as a shadow. The chain with it comes next.
    Handed {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// The slot.
        slot: String,
        /// Its state.
        entries: Vec<Entry>,
        /// Its timers.
        alarms: Vec<(String, u64)>,
        /// What it shows.
        shown: BTreeMap<String, String>,
    },
    /// From here on these rules are live in a channel.
    Chain {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// Slot, component, settings, in the configured order.
        slots: Vec<(String, Digest, Settings)>,
        /// The slot in which the rule before, which had gone on beside the new one, is live again.
        #[serde(default)]
        rolled_back: Option<String>,
        /// The slot that was removed, with the state of its rule. A slot that is only off is not among the rules either, and keeps it.
        #[serde(default)]
        removed: Option<String>,
    },
    /// Nothing was heard of a channel's chat for a while: what was said there meanwhile is in no log. A mark for people; a run
    /// makes nothing of it.
    Gap {
        /// When the channel was heard again.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// Since when it was not heard.
        from: u64,
        /// Why, for people.
        why: String,
    },
    /// Counts that were made elsewhere were added.
    Imported {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// Where they come from.
        source: String,
        /// What was added.
        counts: Vec<Imported>,
    },
    /// The id of a person is known whom an import knew by login alone.
    Joined {
        /// When.
        now: u64,
        /// Login of the channel.
        channel: String,
        /// The person. Counts imported for their login belong to this id from here on.
        person: Person,
    },
    /// The emotes of a provider have changed. Nothing follows from it: the lines of chat have their emotes.
    Emotes {
        /// When.
        now: u64,
        /// Login of the channel; empty for those that every channel has.
        channel: String,
        /// Whose emotes.
        provider: EmoteProvider,
        /// Those that came: what is typed for each, and the provider's id.
        added: Vec<(String, String)>,
        /// Those that went.
        removed: Vec<(String, String)>,
    },
}

/// Faves of one person for one item that were counted elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// Whose.
    pub person: Person,
    /// For what.
    pub item: String,
    /// How many.
    pub faves: u64,
    /// The sum of their weights, in thousandths.
    pub weight: i64,
}

/// A fave that was counted, and who asked for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountedFave {
    /// The slot of the handler.
    pub slot: String,
    /// Its component.
    pub digest: Digest,
    /// As it was counted, with its final weight.
    pub fave: Fave,
}

/// What a record changes in the counts of its channel.
pub(crate) enum CountChange<'a> {
    /// Faves that count from here on, and faves that do not any more.
    Faves { given: Vec<&'a Fave>, taken: &'a [Fave] },
    /// Counts that were made elsewhere.
    Imported(&'a [Imported]),
    /// What an import has for a login is this person's.
    Joined(&'a Person),
    /// Nothing.
    Nothing,
}

impl Record {
    /// What the record changes in the counts. What counts is decided here alone: a recount, a run and the seed of a run ask this.
    pub(crate) fn counts(&self) -> CountChange<'_> {
        match self {
            Self::Faves { faves, .. } => {
                let given = faves.iter().map(|counted| &counted.fave).collect();
                CountChange::Faves { given, taken: &[] }
            }
            Self::Undone { taken, given, .. } => {
                CountChange::Faves { given: given.iter().collect(), taken }
            }
            Self::Imported { counts, .. } => CountChange::Imported(counts),
            Self::Joined { person, .. } => CountChange::Joined(person),
            Self::Event { .. }
            | Self::Timer { .. }
            | Self::Fault { .. }
            | Self::Retried { .. }
            | Self::Handed { .. }
            | Self::Chain { .. }
            | Self::Gap { .. }
            | Self::Emotes { .. } => CountChange::Nothing,
        }
    }

    /// The channel that the record is of.
    pub fn channel(&self) -> &str {
        match self {
            Self::Event { event, .. } => &event.channel,
            Self::Timer { channel, .. }
            | Self::Fault { channel, .. }
            | Self::Faves { channel, .. }
            | Self::Undone { channel, .. }
            | Self::Retried { channel, .. }
            | Self::Handed { channel, .. }
            | Self::Chain { channel, .. }
            | Self::Gap { channel, .. }
            | Self::Imported { channel, .. }
            | Self::Joined { channel, .. }
            | Self::Emotes { channel, .. } => channel,
        }
    }

    /// The time of the record.
    pub fn at(&self) -> u64 {
        match self {
            Self::Event { now, .. }
            | Self::Timer { now, .. }
            | Self::Fault { now, .. }
            | Self::Faves { now, .. }
            | Self::Undone { now, .. }
            | Self::Retried { now, .. }
            | Self::Handed { now, .. }
            | Self::Chain { now, .. }
            | Self::Gap { now, .. }
            | Self::Imported { now, .. }
            | Self::Joined { now, .. }
            | Self::Emotes { now, .. } => *now,
        }
    }
}
