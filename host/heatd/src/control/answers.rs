//! What callers are answered: structs whose names are those of the API's fields.

use std::collections::BTreeMap;

use heat_engine::{Decision, SlotStatus, effect_line};
use serde::Serialize;

use super::differences::Changed;
use crate::view::feed::is_visible;

/// What was done, as a sentence for people.
#[derive(Debug, Serialize)]
pub(crate) struct MessageAnswer {
    pub(crate) message: String,
}

impl MessageAnswer {
    pub(crate) fn new(message: String) -> Self {
        Self { message }
    }
}

/// How a slot stands, with its channel.
#[derive(Debug, Serialize)]
pub(crate) struct SlotAnswer {
    channel: String,
    #[serde(flatten)]
    standing: SlotStatus,
}

impl SlotAnswer {
    pub(super) fn of(standing: SlotStatus) -> Self {
        Self { channel: standing.channel.clone(), standing }
    }
}

/// A change of a slot.
#[derive(Debug, Serialize)]
pub(crate) struct DeployAnswer {
    pub(super) message: String,
    /// On what the rule was tried beforehand.
    pub(super) checked: String,
    /// What became of the state: `kept`, `migrated` or `new`.
    pub(super) state: &'static str,
    pub(super) standing: SlotAnswer,
}

/// The rule before is live again: as it was standing by, or deployed once more.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum RollBackAnswer {
    StoodBy(MessageAnswer),
    Deployed(Box<DeployAnswer>),
}

/// A shadow that was started.
#[derive(Debug, Serialize)]
pub(crate) struct ShadowAnswer {
    pub(super) message: String,
    /// None: it has ended already.
    pub(super) shadow: Option<ShadowStatus>,
}

/// A shadow, and what it has made so far.
#[derive(Debug, Serialize)]
pub(crate) struct ShadowStatus {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) digest: String,
    pub(super) since: u64,
    /// How many events it has followed.
    pub(super) events: u64,
    pub(super) outputs: BTreeMap<String, String>,
}

/// A shadow that took the place of the live rule.
#[derive(Debug, Serialize)]
pub(crate) struct PromoteAnswer {
    pub(super) message: String,
    pub(super) standing: SlotAnswer,
}

/// Dead letters that were retried.
#[derive(Debug, Serialize)]
pub(crate) struct RetryAnswer {
    pub(super) message: String,
    /// How many calls were made again.
    pub(super) again: u64,
    /// How many of them failed again.
    pub(super) failed: u64,
}

/// What one rule answered to an event.
#[derive(Debug, Serialize)]
pub(crate) struct RuleAnswer {
    slot: String,
    effects: Vec<String>,
    /// Why it failed.
    fault: Option<String>,
}

/// What came of an order.
#[derive(Debug, Serialize)]
pub(crate) struct CommandAnswer {
    pub(super) answers: Vec<RuleAnswer>,
    /// By weight.
    pub(super) faves: f64,
}

/// What came, or would come, of an event.
#[derive(Debug, Serialize)]
pub(crate) struct SimulateAnswer {
    /// False: it happens.
    pub(super) simulated: bool,
    /// The id of the event.
    pub(super) id: String,
    pub(super) answers: Vec<RuleAnswer>,
    /// By weight.
    pub(super) faves: f64,
    pub(super) outputs: BTreeMap<String, OutputChange>,
}

/// What an output shows before and after a change.
#[derive(Debug, Serialize)]
pub(crate) struct OutputChange {
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// What was taken back, or would be.
#[derive(Debug, Serialize)]
pub(crate) struct UndoAnswer {
    pub(super) message: String,
    pub(super) preview: bool,
    pub(super) events: usize,
    pub(super) faves: usize,
    pub(super) weight: f64,
    pub(super) outputs: BTreeMap<String, OutputChange>,
    /// `all`, or `counts` if the rules' own state could not be corrected.
    pub(super) corrected: &'static str,
    /// When the log begins, if it does not go back far enough.
    pub(super) log_begins: Option<u64>,
}

/// What was forgotten, or would be.
#[derive(Debug, Serialize)]
pub(crate) struct ForgetAnswer {
    pub(super) message: String,
    pub(super) preview: bool,
    pub(super) ids: Vec<String>,
    pub(super) logins: Vec<String>,
    pub(super) events: u64,
    pub(super) faves: u64,
    pub(super) dead_letters: u64,
    pub(super) audit_entries: u64,
    pub(super) checkpoints: CheckpointAnswer,
    /// Messages of others that name the person.
    pub(super) quoted: u64,
    pub(super) before: TallyAnswer,
    pub(super) after: TallyAnswer,
    /// `all`, or `keys` if only the keys of the rules' state that name the person were removed.
    pub(super) state: &'static str,
    pub(super) outputs: BTreeMap<String, OutputChange>,
    /// Where the person is named now.
    pub(super) mentions: Vec<MentionAnswer>,
    /// Files that may still hold all of it.
    pub(super) copies: Vec<String>,
}

/// Checkpoints that were made again without a person, and those that could not be.
#[derive(Debug, Serialize)]
pub(crate) struct CheckpointAnswer {
    pub(super) remade: u64,
    pub(super) dropped: u64,
}

/// What a channel counts in all.
#[derive(Debug, Serialize)]
pub(crate) struct TallyAnswer {
    pub(super) faves: u64,
    pub(super) weight: f64,
    pub(super) people: u32,
}

/// A place where a person is named.
#[derive(Debug, Serialize)]
pub(crate) struct MentionAnswer {
    pub(super) what: &'static str,
    pub(super) place: String,
    pub(super) count: u64,
}

/// What was new in a group of counts.
#[derive(Debug, Serialize)]
pub(crate) struct ImportAnswer {
    /// How many counts have grown.
    pub(super) counts: u64,
    /// How many were here already.
    pub(super) unchanged: u64,
    pub(super) faves: u64,
    pub(super) weight: f64,
}

/// The curves of a replay.
#[derive(Debug, Serialize)]
pub(crate) struct ReplayAnswer {
    pub(super) message: String,
    pub(super) events: u64,
    pub(super) elapsed_ms: f64,
    pub(super) events_per_second: f64,
    /// Failed calls of the other rule.
    pub(super) faults: u64,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) output: String,
    pub(super) live: Vec<(u64, CurveValue)>,
    pub(super) candidate: Vec<(u64, CurveValue)>,
    pub(super) live_faves: f64,
    pub(super) candidate_faves: f64,
}

/// What an output showed: a number where it is one.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum CurveValue {
    Number(f64),
    Text(String),
}

/// The answers of rules to an event.
pub(super) fn answers(decision: &Decision) -> Vec<RuleAnswer> {
    let answers = decision.answers.iter().map(|answer| {
        let (effects, fault) = match &answer.outcome {
            Ok(effects) => {
                (effects.iter().filter(|it| is_visible(it)).map(effect_line).collect(), None)
            }
            Err(fault) => (Vec::new(), Some(fault.to_string())),
        };
        RuleAnswer { slot: answer.slot.to_string(), effects, fault }
    });
    answers.collect()
}

/// Changes of outputs, by their names.
pub(super) fn by_output(changed: Changed) -> BTreeMap<String, OutputChange> {
    let changed = changed.into_iter();
    changed.map(|(name, before, after)| (name, OutputChange { before, after })).collect()
}

/// A weight, which is kept in thousandths, as people write it.
pub(super) fn weight(thousandths: i64) -> f64 {
    thousandths as f64 / 1000.0
}
