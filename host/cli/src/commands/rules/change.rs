//! `heat rules promote`, `drop`, `rollback`, `disable` and `enable`: changes that need nothing but a slot.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::api::slots::{self, SlotEntry};
use crate::target::{AnswerArgs, SlotChoice, choose};
use crate::terminal::{clean, print};

#[derive(Args)]
pub(crate) struct ChangeArgs {
    /// The slot; not needed when only one can be meant.
    #[arg(value_name = "SLOT")]
    named: Option<String>,
    /// The same.
    #[arg(long, value_name = "SLOT", conflicts_with = "named", hide = true)]
    slot: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Clone, Copy)]
pub(super) enum SlotChange {
    Promote,
    Drop,
    Rollback,
    Disable,
    Enable,
}

pub(super) fn run(change: SlotChange, options: &ChangeArgs) -> Result<()> {
    let api = options.answer.at.api()?;
    let rules = slots::rules(&api, options.answer.at.named()?.as_deref())?;
    let named = options.named.as_deref().or(options.slot.as_deref());
    let rule = choose(&rules, &named.map_or(change.only(), SlotChoice::Slot))?;
    let answer = api.post(&rule.path(change.path()), &json!({}))?;
    if options.answer.json {
        print(&format!("{}\n", clean::json(&answer.to_string())))?;
    } else {
        print(&format!("{}\n", clean::text(answer["message"].as_str().unwrap_or("done"))))?;
    }
    Ok(())
}

impl SlotChange {
    fn path(self) -> &'static str {
        match self {
            Self::Promote => "/promote",
            Self::Drop => "/drop",
            Self::Rollback => "/rollback",
            Self::Disable => "/disable",
            Self::Enable => "/enable",
        }
    }

    /// The slot that is meant when none is named.
    fn only(self) -> SlotChoice<'static> {
        let any: fn(&SlotEntry) -> bool = |_| true;
        match self {
            Self::Promote | Self::Drop => {
                SlotChoice::Only(|rule| rule.shadow.is_some(), "has a shadow")
            }
            Self::Enable => SlotChoice::Only(
                |rule| matches!(rule.state.as_str(), "disabled" | "quarantined" | "quarantine"),
                "is switched off",
            ),
            Self::Rollback | Self::Disable => SlotChoice::Only(any, "is there"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api;

    fn meant(change: SlotChange, rules: &serde_json::Value) -> String {
        let rules: Vec<SlotEntry> = api::read(rules.clone(), "rules").unwrap();
        match choose(&rules, &change.only()) {
            Ok(rule) => rule.slot.clone(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_only_slot_in_question_need_not_be_named() {
        let mut rules = json!([
            { "channel": "x", "slot": "fave", "state": "disabled", "name": "fave", "version": "1", "digest": "0" },
            { "channel": "x", "slot": "decay", "state": "live", "name": "decay", "version": "1", "digest": "0" },
        ]);
        assert_eq!(meant(SlotChange::Enable, &rules), "fave");
        assert!(meant(SlotChange::Promote, &rules).contains("no slot has a shadow"));
        assert!(meant(SlotChange::Disable, &rules).contains("several slots may be meant"));
        rules[1]["shadow"] = json!({ "name": "decay", "version": "2", "digest": "1" });
        assert_eq!(meant(SlotChange::Promote, &rules), "decay");
        assert_eq!(meant(SlotChange::Drop, &rules), "decay");
    }
}
