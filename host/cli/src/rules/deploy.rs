//! `heat rules deploy`: another version of a rule takes the place of the one that is live.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use super::module;
use crate::api::Load;
use crate::target::{self, Channel, Wanted, choose};
use crate::{clean, print};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat rules deploy target/rules/decay.wasm
  heat rules deploy hotter.wasm --slot decay
  heat rules rollback decay           if it was not better

heatd compiles it, tries it on what happened before, hands the state over, and swaps it in between two events.
What fails on the way changes nothing. For some minutes it is on probation: if it fails too often, heatd goes
back to the rule before by itself.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// The rule: a WebAssembly component, the module that a compiler made, or the folder of a rule.
    #[arg(value_name = "FILE or FOLDER")]
    file: PathBuf,
    /// The slot that it goes into; not needed when the file is named as the rule in it is.
    #[arg(long, value_name = "SLOT")]
    slot: Option<String>,
    /// One JSON object a line, as heatd sends them.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Channel,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let component = module::read(&options.file)?;
    let api = options.at.api()?;
    let rules = target::rules(&api, options.at.named()?.as_deref())?;
    let stem = module::stem(&options.file);
    let wanted = options.slot.as_deref().map_or(Wanted::File(&stem), Wanted::Slot);
    let rule = choose(&rules, &wanted)?;
    let steps = api.begin("PUT", &rule.path(""), &[], &Load::Component(&component))?;
    tell(&steps.follow(options.json)?, options.json)
}

/// Says how a change went. As JSON it has been said already.
pub(super) fn tell(done: &Value, json: bool) -> Result<()> {
    if !json {
        print(&told(done))?;
    }
    Ok(())
}

fn told(done: &Value) -> String {
    let text = |name: &str| done[name].as_str().filter(|text| !text.is_empty());
    let checked = text("checked").map(|checked| format!("tried on {checked}"));
    let state = match text("state") {
        Some("kept") => Some("its state is kept"),
        Some("migrated") => Some("its state is taken over into a new form"),
        Some("new") => Some("its state begins anew"),
        other => other,
    };
    let more: Vec<&str> = checked.as_deref().into_iter().chain(state).collect();
    let mut told = clean::text(text("done").unwrap_or("done"));
    told.push('\n');
    if !more.is_empty() {
        told.push_str(&clean::text(&more.join("; ")));
        told.push('\n');
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_deployment_is_told_with_what_it_was_tried_on() {
        let done = json!({ "done": "decay 1.3.0 is live\u{7}", "checked": "the last 1000 events", "state": "kept" });
        let expected =
            "decay 1.3.0 is live\u{FFFD}\ntried on the last 1000 events; its state is kept\n";
        assert_eq!(told(&done), expected);
        assert_eq!(told(&json!({ "done": "it is live" })), "it is live\n");
    }
}
