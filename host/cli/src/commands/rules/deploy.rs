//! `heat rules deploy`: another version of a rule takes the place of the one that is live.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::done;
use crate::api::{Payload, slots};
use crate::target::{ProgressArgs, SlotChoice, choose};
use crate::{rule_file, values};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat rules deploy target/rules/decay.wasm
  heat rules deploy hotter.wasm --slot decay --set per_fave=2
  heat rules rollback decay           if it was not better

heatd compiles it, tries it on what happened before, hands the state over, and swaps it in between two events.
What fails on the way changes nothing. For some minutes it is on probation: if it fails too often, heatd goes
back to the rule before by itself.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct DeployArgs {
    /// The rule: a WebAssembly component, the module that a compiler made, or the folder of a rule.
    #[arg(value_name = "FILE or FOLDER")]
    file: PathBuf,
    /// The slot that it goes into; not needed when the file is named as the rule in it is.
    #[arg(long, value_name = "SLOT")]
    slot: Option<String>,
    /// A setting, beside those that are set already; its value as in the configuration, a bare word is a text.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    answer: ProgressArgs,
}

pub(super) fn run(options: &DeployArgs) -> Result<()> {
    let component = rule_file::read(&options.file)?;
    let settings = values::query(&options.set, &[])?;
    let api = options.answer.at.api()?;
    let rules = slots::rules(&api, options.answer.at.named()?.as_deref())?;
    let stem = rule_file::stem(&options.file);
    let wanted = options.slot.as_deref().map_or(SlotChoice::File(&stem), SlotChoice::Slot);
    let rule = choose(&rules, &wanted)?;
    let query: Vec<_> = settings.into_iter().collect();
    let steps = api.start("PUT", &rule.path(""), &query, &Payload::Component(&component))?;
    done::show(&steps.follow(options.answer.json)?, options.answer.json)
}
