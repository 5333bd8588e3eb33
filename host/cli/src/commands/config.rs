//! `heat config`: what runs otherwise than the configuration says, and a configuration that says what runs.

use std::io::{IsTerminal, stdout};

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::api::differences::{Difference, differences};
use crate::find::Place;
use crate::target::{AnswerArgs, ChannelArgs};
use crate::terminal::table::{Colour, Table, has_colours};
use crate::terminal::{clean, print};
use crate::values;

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Lists what was changed while running: heatd never writes its configuration.
    #[command(after_help = "Examples:\n  heat config diff")]
    Diff(DiffArgs),
    /// Prints [[rule]] tables of what runs, to be put into the configuration.
    #[command(
        after_help = "Examples:\n  heat config export >> heatd.toml   then take the old tables out"
    )]
    Export(ExportConfigArgs),
}

#[derive(Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Args)]
pub(crate) struct ExportConfigArgs {
    #[command(flatten)]
    place: Place,
}

pub(crate) fn run(command: &ConfigCommand) -> Result<()> {
    match command {
        ConfigCommand::Diff(options) => diff(options),
        ConfigCommand::Export(options) => export(options),
    }
}

fn diff(options: &DiffArgs) -> Result<()> {
    let api = options.answer.at.api()?;
    if options.answer.json {
        let told = serde_json::to_string_pretty(&api.get("/config/diff", &[])?)?;
        print(&format!("{}\n", clean::json(&told)))?;
        return Ok(());
    }
    let mut differences = differences(&api)?;
    if let Some(channel) = options.answer.at.named()? {
        differences.retain(|difference| difference.channel == channel);
    }
    print(&page(&differences, has_colours()))?;
    Ok(())
}

fn page(differences: &[Difference], colours: bool) -> String {
    if differences.is_empty() {
        return "what runs is what the configuration says\n".to_owned();
    }
    let mut table = Table::new(&["channel", "slot", "what", "configured", "live"]);
    for difference in differences {
        let value = |value: &Value| match value {
            Value::Null => "default".to_owned(),
            Value::String(text) => text.clone(),
            other => values::typed(other),
        };
        table.row([
            (format!("#{}", difference.channel), Colour::Plain),
            (difference.slot.clone(), Colour::Plain),
            (difference.what.clone(), Colour::Plain),
            (value(&difference.configured), Colour::Plain),
            (value(&difference.live), Colour::Yellow),
        ]);
    }
    table.text(colours)
}

fn export(options: &ExportConfigArgs) -> Result<()> {
    let at = ChannelArgs { channel: None, place: options.place.clone() };
    let text = at.api()?.text("/config/export")?;
    // A file gets exactly what heatd says.
    let text = match stdout().is_terminal() {
        true => text.lines().map(|line| clean::text(line) + "\n").collect(),
        false => text,
    };
    print(&text)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api;

    #[test]
    fn differences_are_told_by_slot() {
        let difference = |what: &str, configured: Value, live: Value| {
            let value = json!({ "channel": "seaside", "slot": "decay", "what": what, "configured": configured, "live": live });
            api::read::<Difference>(value, "a difference").unwrap()
        };
        let differences = [
            difference("component", json!("decay 1.0.0 (aaaa)"), json!("decay 1.3.0 (bbbb)")),
            difference("half_life", json!("\"6s\""), json!(null)),
        ];
        let expected = "\
channel   slot   what       configured          live
#seaside  decay  component  decay 1.0.0 (aaaa)  decay 1.3.0 (bbbb)
#seaside  decay  half_life  \"6s\"                default
";
        assert_eq!(page(&differences, false), expected);
        assert!(page(&[], false).contains("what the configuration says"));
    }
}
