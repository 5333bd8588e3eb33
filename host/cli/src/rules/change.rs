//! `heat rules promote`, `drop`, `rollback`, `disable` and `enable`: changes that need nothing but a slot.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::target::{self, Channel, Rule, Wanted, choose};
use crate::{clean, print};

#[derive(Args)]
pub(crate) struct Options {
    /// The slot; not needed when only one can be meant.
    #[arg(value_name = "SLOT")]
    named: Option<String>,
    /// The same.
    #[arg(long, value_name = "SLOT", conflicts_with = "named", hide = true)]
    slot: Option<String>,
    /// Prints what heatd answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Channel,
}

#[derive(Clone, Copy)]
pub(super) enum Change {
    Promote,
    Drop,
    Rollback,
    Disable,
    Enable,
}

pub(super) fn run(change: Change, options: &Options) -> Result<()> {
    let api = options.at.api()?;
    let rules = target::rules(&api, options.at.named()?.as_deref())?;
    let named = options.named.as_deref().or(options.slot.as_deref());
    let rule = choose(&rules, &named.map_or(change.only(), Wanted::Slot))?;
    let answer = api.tell(&rule.path(change.path()), &json!({}))?;
    if options.json {
        print(&format!("{}\n", clean::json(&answer.to_string())))?;
    } else {
        print(&format!("{}\n", clean::text(answer["done"].as_str().unwrap_or("done"))))?;
    }
    Ok(())
}

impl Change {
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
    fn only(self) -> Wanted<'static> {
        let any: fn(&Rule) -> bool = |_| true;
        match self {
            Self::Promote | Self::Drop => {
                Wanted::Only(|rule| rule.shadow.is_some(), "has a shadow")
            }
            Self::Enable => Wanted::Only(
                |rule| matches!(rule.state.as_str(), "disabled" | "quarantined" | "quarantine"),
                "is switched off",
            ),
            Self::Rollback | Self::Disable => Wanted::Only(any, "is there"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(change: Change, rules: &serde_json::Value) -> String {
        let rules: Vec<Rule> = target::read(rules.clone(), "rules").unwrap();
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
        assert_eq!(meant(Change::Enable, &rules), "fave");
        assert!(meant(Change::Promote, &rules).contains("no slot has a shadow"));
        assert!(meant(Change::Disable, &rules).contains("several slots may be meant"));
        rules[1]["shadow"] = json!({ "name": "decay", "version": "2", "digest": "1" });
        assert_eq!(meant(Change::Promote, &rules), "decay");
        assert_eq!(meant(Change::Drop, &rules), "decay");
    }
}
