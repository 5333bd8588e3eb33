//! `heat rules shadow`: a rule beside the one that is live, which sees the same and which nobody sees.

use anyhow::Result;
use clap::Args;

use super::done;
use crate::api::slots;
use crate::candidate::Candidate;
use crate::target::{ProgressArgs, choose};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat rules shadow decay.wasm
  heat rules shadow hotter.wasm --slot decay --set per_fave=2
  heat rules shadow --set half_life=3m --set cap=100
  heat rules list                     what it would show stands below the slot
  heat rules promote                  or: heat rules drop";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ShadowArgs {
    #[command(flatten)]
    candidate: Candidate,
    #[command(flatten)]
    answer: ProgressArgs,
}

pub(super) fn run(options: &ShadowArgs) -> Result<()> {
    let candidate = options.candidate.read()?;
    let api = options.answer.at.api()?;
    let rules = slots::rules(&api, options.answer.at.named()?.as_deref())?;
    let rule = choose(&rules, &options.candidate.wanted(&candidate))?;
    let query: Vec<_> = candidate.query().into_iter().collect();
    let steps = api.start("POST", &rule.path("/shadow"), &query, &candidate.load())?;
    done::show(&steps.follow(options.answer.json)?, options.answer.json)
}
