//! What outputs show before and after something: what undo, forget and simulate answer with.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What heatd answers.
#[derive(Debug, Deserialize)]
pub(crate) struct Simulation {
    #[serde(default)]
    pub(crate) answers: Vec<RuleAnswer>,
    #[serde(default)]
    pub(crate) faves: f64,
    #[serde(default)]
    pub(crate) outputs: BTreeMap<String, OutputChange>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RuleAnswer {
    pub(crate) slot: String,
    #[serde(default)]
    pub(crate) effects: Vec<Value>,
    pub(crate) fault: Option<String>,
}

/// What an output shows before and after.
#[derive(Debug, Deserialize)]
pub(crate) struct OutputChange {
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl OutputChange {
    /// Before and after, where both are known.
    pub(crate) fn words(&self) -> String {
        let quoted = |text: &Option<String>| match text {
            Some(text) => format!("{text:?}"),
            None => "nothing".to_owned(),
        };
        let (before, after) = (quoted(&self.before), quoted(&self.after));
        if before == after {
            format!("{after} as before")
        } else {
            format!("{after} instead of {before}")
        }
    }
}
