//! `heat command`: an order that moderators give in chat, without chat.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::simulate::Outcome;
use crate::table::has_colours;
use crate::target::{self, Channel};
use crate::{clean, print};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat command '?heat set 50'
  heat command '?heat pause'
  heat command '?heat add 5 @ann the song'

Quotes keep the shell from reading the question mark. Only what moderators alone may say gets through: a fave does not.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// What a moderator would write in chat.
    #[arg(value_name = "ORDER", required = true)]
    order: Vec<String>,
    /// Prints what heatd tells, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Channel,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let api = options.at.api()?;
    let channel = options.at.one(&api)?;
    let order = options.order.join(" ");
    let told = api.tell(&format!("/channels/{channel}/command"), &json!({ "text": order }))?;
    if options.json {
        print(&format!("{}\n", clean::json(&serde_json::to_string_pretty(&told)?)))?;
        return Ok(());
    }
    let outcome: Outcome = target::read(told, "what rules answer")?;
    print(&outcome.page(&format!("{order} in #{channel}"), true, has_colours()))?;
    Ok(())
}
