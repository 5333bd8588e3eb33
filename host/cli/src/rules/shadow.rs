//! `heat rules shadow`: a rule beside the one that is live, which sees the same and which nobody sees.

use anyhow::Result;
use clap::Args;

use super::deploy::tell;
use crate::candidate::Candidate;
use crate::target::{self, Channel, choose};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat rules shadow decay.wasm
  heat rules shadow --set half_life=3m --set cap=100
  heat rules list                     what it would show stands below the slot
  heat rules promote                  or: heat rules drop";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    #[command(flatten)]
    candidate: Candidate,
    /// One JSON object a line, as heatd sends them.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Channel,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let candidate = options.candidate.read()?;
    let api = options.at.api()?;
    let rules = target::rules(&api, options.at.named()?.as_deref())?;
    let rule = choose(&rules, &options.candidate.wanted(&candidate))?;
    let steps = api.begin("POST", &rule.path("/shadow"), &[], &candidate.load())?;
    tell(&steps.follow(options.json)?, options.json)
}
