//! Parts of answers that several ways of control give.

use heat_engine::{Decision, SlotStatus, effect_line};
use serde_json::{Value, json};

use crate::view::feed::is_visible;

/// The answers of rules as JSON, in the form of a simulation.
pub(super) fn answers(decision: &Decision) -> Vec<Value> {
    let answers = decision.answers.iter().map(|answer| {
        let (effects, fault) = match &answer.outcome {
            Ok(effects) => {
                (effects.iter().filter(|it| is_visible(it)).map(effect_line).collect(), None)
            }
            Err(fault) => (Vec::new(), Some(fault.to_string())),
        };
        json!({ "slot": &*answer.slot, "effects": effects, "fault": fault })
    });
    answers.collect()
}

/// The status of a slot as JSON, with its channel.
pub(crate) fn standing_json(standing: &SlotStatus) -> Value {
    let mut value = serde_json::to_value(standing).unwrap_or_default();
    value["channel"] = Value::from(standing.channel.clone());
    value
}
