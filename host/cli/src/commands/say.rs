//! `heat say`: says a line in chat, as the account of the configuration that speaks there.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::target::{AnswerArgs, SureArgs};
use crate::terminal::{note, print, print_json};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat say 'back in five minutes'
  heat say --reply-to 5f1c... 'well seen' --yes

It asks first, unless --yes says that it is meant. The account is that of a [[twitch.account]] with the feature \"say\";
heat login status shows how it stands. Who said it stands in heat rules audit.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct SayArgs {
    /// The line, at most 500 characters.
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
    /// Twitch's id of the line that it answers: heat devlog shows ids.
    #[arg(long, value_name = "ID")]
    reply_to: Option<String>,
    #[command(flatten)]
    sure: SureArgs,
    #[command(flatten)]
    answer: AnswerArgs,
}

pub(crate) fn run(options: &SayArgs) -> Result<()> {
    let api = options.answer.at.api()?;
    let channel = options.answer.at.one(&api)?;
    let text = options.text.join(" ");
    if !options.sure.asks(&format!("say {text:?} in #{channel}?"), options.answer.json)? {
        note("nothing was said");
        return Ok(());
    }
    let body = json!({ "text": text, "reply_to": options.reply_to });
    let told = api.post(&format!("/channels/{channel}/say"), &body)?;
    if options.answer.json {
        return print_json(&told);
    }
    print(&format!("said in #{channel}\n"))?;
    Ok(())
}
