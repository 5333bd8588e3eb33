//! `heat channels`: which channels heatd reads; takes one up, and lets one go, while the others go on.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{self, Api};
use crate::find::Place;
use crate::target::channel_name;
use crate::terminal::table::{Colour, Table, has_colours};
use crate::terminal::{clean, print, print_json};
use crate::when;

#[derive(Subcommand)]
pub(crate) enum ChannelsCommand {
    /// Shows the channels: whether Twitch sends them, whether they are live, and which rules they have.
    #[command(after_help = "Examples:\n  heat channels list")]
    List(ListChannelsArgs),
    /// Takes channels up, with the rules that are for every channel. They stay after a restart.
    #[command(after_help = "Examples:\n  heat channels add somebody somebody_else")]
    Add(ChannelNamesArgs),
    /// Lets channels go. What was counted there is kept, and goes on when they are added again.
    #[command(after_help = "Examples:\n  heat channels remove somebody")]
    Remove(ChannelNamesArgs),
}

#[derive(Args)]
pub(crate) struct ListChannelsArgs {
    /// Prints what heatd tells, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(crate) struct ChannelNamesArgs {
    /// What stands at the end of the channel's address.
    #[arg(value_name = "CHANNEL", required = true)]
    channels: Vec<String>,
    /// Prints what heatd answers, as JSON: one object a line, of each channel.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Deserialize)]
struct ChannelList {
    channels: Vec<ListedChannel>,
    removed: Vec<RemovedChannel>,
}

#[derive(Deserialize)]
struct ListedChannel {
    name: String,
    configured: bool,
    chat: String,
    stream: ChannelStream,
    rules: Vec<String>,
    /// Not told by an older heatd.
    #[serde(default)]
    notices: Vec<String>,
}

#[derive(Deserialize)]
struct ChannelStream {
    state: String,
    since: Option<u64>,
}

#[derive(Deserialize)]
struct RemovedChannel {
    name: String,
    at: u64,
}

pub(crate) fn run(command: &ChannelsCommand) -> Result<()> {
    match command {
        ChannelsCommand::List(options) => list(options),
        ChannelsCommand::Add(change) => {
            each(change, |api, name| Ok(api.post("/channels", &json!({ "channel": name }))?))
        }
        ChannelsCommand::Remove(change) => {
            each(change, |api, name| Ok(api.delete(&format!("/channels/{name}"))?))
        }
    }
}

/// One after the other; the first that is refused ends it.
fn each(change: &ChannelNamesArgs, work: impl Fn(&Api, &str) -> Result<Value>) -> Result<()> {
    let api = Api::at(&change.place)?;
    let names = change.channels.iter().map(|typed| channel_name(typed));
    for name in names.collect::<Result<Vec<_>>>()? {
        let told = work(&api, &name)?;
        if change.json {
            print(&format!("{}\n", clean::json(&told.to_string())))?;
            continue;
        }
        let done = told.get("message").and_then(Value::as_str).unwrap_or_default();
        print(&format!("{}\n", clean::text(done)))?;
    }
    Ok(())
}

fn list(options: &ListChannelsArgs) -> Result<()> {
    let told = Api::at(&options.place)?.get("/channels", &[])?;
    if options.json {
        return print_json(&told);
    }
    print(&page(told, has_colours())?)?;
    Ok(())
}

fn page(told: Value, colours: bool) -> Result<String> {
    let ChannelList { channels, removed } = api::read(told, "its channels")?;
    let mut table = Table::new(&["channel", "chat", "stream", "since", "rules", "from"]);
    for channel in &channels {
        let (chat, colour) = match channel.chat.as_str() {
            "joined" => ("read", Colour::Green),
            "unconfirmed" => ("Twitch does not confirm it", Colour::Red),
            _ => ("asked for", Colour::Yellow),
        };
        let live = channel.stream.state == "live";
        let from = if channel.configured { "the configuration" } else { "heat channels add" };
        table.row([
            (format!("#{}", channel.name), Colour::Bold),
            (chat.to_owned(), colour),
            (channel.stream.state.clone(), if live { Colour::Green } else { Colour::Plain }),
            (channel.stream.since.map(when::show).unwrap_or_default(), Colour::Plain),
            (channel.rules.join(", "), Colour::Plain),
            (from.to_owned(), Colour::Dim),
        ]);
    }
    for gone in &removed {
        table.row([
            (format!("#{}", gone.name), Colour::Dim),
            ("removed".to_owned(), Colour::Dim),
            (String::new(), Colour::Plain),
            (when::show(gone.at), Colour::Dim),
            (String::new(), Colour::Plain),
            (String::new(), Colour::Plain),
        ]);
    }
    let mut page = table.text(colours);
    for channel in &channels {
        for notice in &channel.notices {
            page.push_str(&clean::text(&format!("#{}: {notice}", channel.name)));
            page.push('\n');
        }
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_tells_what_is_read_and_what_is_not() {
        let told = json!({ "channels": [
            { "name": "seaside", "configured": true, "chat": "joined", "stream": { "state": "live", "since": 0 }, "rules": ["fave", "decay"] },
            { "name": "nobody", "configured": false, "chat": "unconfirmed", "stream": { "state": "unknown", "since": null }, "rules": [], "notices": ["Faves are paused\u{7}"] },
        ], "removed": [{ "name": "harbour", "at": 0 }], "limit": 250 });
        let page = page(told, false).unwrap();
        let lines: Vec<&str> = page.lines().collect();
        assert!(lines[1].starts_with("#seaside") && lines[1].contains("fave, decay"), "{page}");
        assert!(lines[2].contains("Twitch does not confirm it"), "{page}");
        assert!(lines[3].starts_with("#harbour") && lines[3].contains("removed"), "{page}");
        assert_eq!(lines[4], "#nobody: Faves are paused\u{FFFD}");
    }
}
