//! `heat rules deploy`: another version of a rule takes the place of the one that is live.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::done;
use crate::api::{Payload, slots};
use crate::rule_file;
use crate::target::{ProgressArgs, SlotChoice, choose};

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
pub(crate) struct DeployArgs {
    /// The rule: a WebAssembly component, the module that a compiler made, or the folder of a rule.
    #[arg(value_name = "FILE or FOLDER")]
    file: PathBuf,
    /// The slot that it goes into; not needed when the file is named as the rule in it is.
    #[arg(long, value_name = "SLOT")]
    slot: Option<String>,
    #[command(flatten)]
    answer: ProgressArgs,
}

pub(super) fn run(options: &DeployArgs) -> Result<()> {
    let component = rule_file::read(&options.file)?;
    let api = options.answer.at.api()?;
    let rules = slots::rules(&api, options.answer.at.named()?.as_deref())?;
    let stem = rule_file::stem(&options.file);
    let wanted = options.slot.as_deref().map_or(SlotChoice::File(&stem), SlotChoice::Slot);
    let rule = choose(&rules, &wanted)?;
    let steps = api.start("PUT", &rule.path(""), &[], &Payload::Component(&component))?;
    done::show(&steps.follow(options.answer.json)?, options.answer.json)
}
