//! `heat devlog`: every line, frame, message and answer as it came, and what became of each. For whoever debugs.

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::api::Api;
use crate::api::feed::FeedEvent;
use crate::find::Place;
use crate::target::channel_name;
use crate::terminal::table::{Colour, has_colours, painted};
use crate::terminal::{clean, note, print};
use crate::when;

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat devlog
  heat devlog --kind eventsub --kind helix
  heat devlog --channel somebody --once --json | jq .raw

It begins with the last minutes, and goes on until Ctrl-C. It is not for viewers: it shows what people write before any moderator has seen it, and what
heatd asks Twitch. Tokens and secrets never stand in it.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct DevlogArgs {
    /// Only this kind; may be given several times.
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Vec<RawKind>,
    /// Only this channel.
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Only what heatd remembers; does not wait for more.
    #[arg(long)]
    once: bool,
    /// One JSON object a line, as heatd sends them.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, ValueEnum)]
enum RawKind {
    Irc,
    Eventsub,
    Mqtt,
    Helix,
    Decision,
}

impl RawKind {
    fn name(self) -> &'static str {
        match self {
            Self::Irc => "irc",
            Self::Eventsub => "eventsub",
            Self::Mqtt => "mqtt",
            Self::Helix => "helix",
            Self::Decision => "decision",
        }
    }
}

/// One entry.
#[derive(Debug, Deserialize)]
struct RawRow {
    kind: String,
    #[serde(default)]
    at: u64,
    channel: Option<String>,
    #[serde(default)]
    raw: String,
    #[serde(default)]
    became: Option<Became>,
    /// Of `missed`.
    #[serde(default)]
    entries: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Became {
    Events(Vec<String>),
    Dropped(String),
    Used(String),
    Decided(Verdicts),
}

#[derive(Debug, Deserialize)]
struct Verdicts {
    event: String,
    duplicate: bool,
    rules: Vec<Called>,
    faves: usize,
}

#[derive(Debug, Deserialize)]
struct Called {
    slot: String,
    effects: Vec<String>,
    fault: Option<String>,
}

pub(crate) fn run(options: &DevlogArgs) -> Result<()> {
    let api = Api::at(&options.place)?;
    let channel = options.channel.as_deref().map(channel_name).transpose()?;
    let mut query: Vec<(&str, String)> =
        options.kind.iter().map(|kind| ("kind", kind.name().to_owned())).collect();
    query.extend(channel.map(|channel| ("channel", channel)));
    if options.once {
        query.push(("follow", "false".to_owned()));
    }
    let mut feed = api.follow("/devlog", &query)?;
    if !options.json {
        note(
            "NOT FOR VIEWERS: everything raw, before any moderator has seen it. Do not show this on a stream.",
        );
    }
    let colours = has_colours();
    loop {
        match feed.next().context("the connection to heatd is lost")? {
            Some(FeedEvent::Entry(json)) if options.json => {
                print(&format!("{}\n", clean::json(&json)))?;
            }
            Some(FeedEvent::Entry(json)) => match serde_json::from_str(&json) {
                Ok(row) => print(&page(&row, colours))?,
                // Of a newer heatd.
                Err(_) => print(&format!("{}\n", clean::text(&json)))?,
            },
            Some(FeedEvent::Alive) => {}
            None => return Ok(()),
        }
    }
}

/// An entry as lines for people.
fn page(row: &RawRow, colours: bool) -> String {
    if row.kind == "missed" {
        return format!("too much at once: {} entries are left out here\n", row.entries);
    }
    let dim = |text: &str| painted(text, Colour::Dim, colours);
    let channel = row.channel.as_ref().map(|it| format!("#{it} ")).unwrap_or_default();
    let lead = dim(&clean::text(&format!("{} {:<8} {channel}", when::show(row.at), row.kind)));
    let mut page = String::new();
    for (place, line) in row.raw.lines().enumerate() {
        let lead = if place == 0 { lead.as_str() } else { "    " };
        page += &format!("{lead}{}\n", clean::text(line));
    }
    match &row.became {
        Some(Became::Events(ids)) => {
            page += &format!("    {}\n", dim(&clean::text(&format!("event {}", ids.join(", ")))));
        }
        Some(Became::Dropped(why)) => {
            page += &format!(
                "    {}\n",
                painted(&clean::text(&format!("no event: {why}")), Colour::Yellow, colours)
            );
        }
        Some(Became::Used(what)) => page += &format!("    {}\n", dim(&clean::text(what))),
        Some(Became::Decided(verdicts)) => page += &format!("{lead}{}", verdicts.page(colours)),
        None => {}
    }
    page
}

impl Verdicts {
    fn page(&self, colours: bool) -> String {
        let known = if self.duplicate { ": known already" } else { "" };
        let faves = match self.faves {
            0 => String::new(),
            faves => format!(", faves: {faves}"),
        };
        let mut page = clean::text(&format!("event {}{known}{faves}", self.event)) + "\n";
        for called in &self.rules {
            let fault = called.fault.as_ref().map(|why| format!("{} failed: {why}", called.slot));
            let lines: Vec<String> =
                called.effects.iter().map(|effect| format!("{} → {effect}", called.slot)).collect();
            let quiet = fault.is_none() && lines.is_empty();
            let quiet = quiet.then(|| format!("{} → nothing", called.slot));
            for line in fault.iter().chain(&lines).chain(&quiet) {
                let colour = if fault.is_some() { Colour::Red } else { Colour::Plain };
                page += &format!("    {}\n", painted(&clean::text(line), colour, colours));
            }
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> String {
        page(&serde_json::from_str(json).unwrap(), false)
    }

    #[test]
    fn each_entry_says_what_became_of_it() {
        let line = shown(
            r#"{"at":0,"kind":"irc","channel":"seaside","raw":":ann PRIVMSG #seaside :hi\u001b[2J","became":{"events":["e1"]}}"#,
        );
        assert!(
            line.contains("irc      #seaside :ann PRIVMSG #seaside :hi")
                && line.contains("event e1"),
            "{line}"
        );
        assert!(!line.contains('\u{1b}'));
        let dropped = shown(
            r#"{"at":0,"kind":"mqtt","channel":null,"raw":"a/b x","became":{"dropped":"no rule takes its topic"}}"#,
        );
        assert!(dropped.contains("no event: no rule takes its topic"), "{dropped}");
        let decided = shown(
            r#"{"at":0,"kind":"decision","channel":"seaside","raw":"","became":{"decided":{"event":"e1","duplicate":false,"faves":1,
                "rules":[{"slot":"fave","effects":["fave ann"],"fault":null},{"slot":"bad","effects":[],"fault":"it trapped"}]}}}"#,
        );
        assert!(
            decided.contains("event e1, faves: 1") && decided.contains("fave → fave ann"),
            "{decided}"
        );
        assert!(decided.contains("bad failed: it trapped"));
        assert!(shown(r#"{"kind":"missed","entries":7}"#).contains('7'));
    }
}
