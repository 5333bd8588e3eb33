//! `heat command`: an order that moderators give in chat, without chat.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::api;
use crate::api::outputs::Simulation;
use crate::target::AnswerArgs;
use crate::terminal::table::has_colours;
use crate::terminal::{print, print_json};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat command '?heat set 50'
  heat command '?heat pause'
  heat command '?heat add 5 @ann the song'

Quotes keep the shell from reading the question mark. Only what moderators alone may say gets through: a fave does not.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CommandArgs {
    /// What a moderator would write in chat.
    #[arg(value_name = "ORDER", required = true)]
    order: Vec<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

pub(crate) fn run(options: &CommandArgs) -> Result<()> {
    let api = options.answer.at.api()?;
    let channel = options.answer.at.one(&api)?;
    let order = options.order.join(" ");
    let told = api.post(&format!("/channels/{channel}/command"), &json!({ "text": order }))?;
    if options.answer.json {
        return print_json(&told);
    }
    let outcome: Simulation = api::read(told, "what rules answer")?;
    print(&outcome.page(&format!("{order} in #{channel}"), true, has_colours()))?;
    Ok(())
}
