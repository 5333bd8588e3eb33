//! `heat status`: how heatd does, on one screen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::api::Api;
use crate::find::{Place, Surroundings};
use crate::words::{ago, bytes, count, duration};
use crate::{clean, print};

#[derive(Args)]
pub(crate) struct Options {
    /// Prints everything that heatd tells, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// What heatd tells, as far as it is shown.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    version: String,
    uptime_seconds: u64,
    reasons: Vec<String>,
    connections: Connections,
    faves: u64,
    chat_lines: u64,
    duplicates: u64,
    queue: u64,
    pub(crate) channels: Vec<Channel>,
    store_bytes: u64,
    #[serde(default)]
    backup: Backup,
}

/// How backups stand; a heatd of before says nothing of them.
#[derive(Debug, Default, Deserialize)]
struct Backup {
    at: Option<u64>,
    file: Option<String>,
    problem: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Connections {
    chat: ChatConnections,
    mqtt: MqttConnection,
}

#[derive(Debug, Deserialize)]
struct ChatConnections {
    wanted: u64,
    up: u64,
}

#[derive(Debug, Deserialize)]
struct MqttConnection {
    up: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Channel {
    pub(crate) name: String,
    stream: Stream,
    outputs: BTreeMap<String, String>,
    rules: Vec<Rule>,
    /// A heatd of before tells nothing of them.
    #[serde(default)]
    gaps: Gaps,
}

impl Channel {
    pub(crate) fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }
}

/// When chat was not heard within the last day.
#[derive(Debug, Default, Deserialize)]
struct Gaps {
    count: u64,
    seconds: u64,
}

#[derive(Debug, Deserialize)]
struct Stream {
    state: String,
    since: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    slot: String,
    name: String,
    version: String,
    role: String,
    digest: String,
    calls: u64,
    failures: u64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let told = Api::new(options.place.find(&Surroundings::of_this_process())?).status()?;
    if options.json {
        print(&format!("{}\n", clean::json(&serde_json::to_string_pretty(&told)?)))?;
    } else {
        print(&Status::read(told)?.page())?;
    }
    Ok(())
}

impl Status {
    pub(crate) fn read(told: Value) -> Result<Self> {
        Self::deserialize(told).context(
            "heatd tells its status in another way: heat and heatd are of different versions",
        )
    }

    fn page(&self) -> String {
        let Connections { chat, mqtt } = &self.connections;
        let mut page = String::new();
        let mut line = |name: &str, text: String| {
            // Writing into a string does not fail.
            let _ = writeln!(page, "{name:<12}{}", clean::text(&text));
        };
        let up = duration(Duration::from_secs(self.uptime_seconds));
        line("heatd", format!("{}, up for {up}", self.version));
        match self.reasons.as_slice() {
            [] => line("ready", "yes".to_owned()),
            reasons => line("ready", format!("no: {}", reasons.join("; "))),
        }
        line("chat", format!("{} of {} connections", chat.up, chat.wanted));
        line("mqtt", if mqtt.up { "connected" } else { "not connected" }.to_owned());
        line(
            "since start",
            format!(
                "{} chat lines, {} faves, {} duplicates",
                count(self.chat_lines),
                count(self.faves),
                count(self.duplicates)
            ),
        );
        line("queue", format!("{} events wait", count(self.queue)));
        line("store", bytes(self.store_bytes));
        line("backup", self.backup.words());
        for channel in &self.channels {
            page.push('\n');
            page.push_str(&channel.page());
        }
        page
    }
}

impl Backup {
    fn words(&self) -> String {
        let last = match (self.at, &self.file) {
            (Some(at), Some(file)) => format!("{} ago: {file}", ago(at)),
            _ => "none".to_owned(),
        };
        match &self.problem {
            Some(problem) => format!("{last}; the last try failed: {problem}"),
            None => last,
        }
    }
}

impl Channel {
    fn page(&self) -> String {
        let since = self.stream.since.map(|since| format!(" for {}", ago(since)));
        let (state, since) = (&self.stream.state, since.unwrap_or_default());
        let mut page = clean::text(&format!("#{}: the stream is {state}{since}", self.name));
        page.push('\n');
        if self.gaps.count > 0 {
            let times = if self.gaps.count == 1 { "once" } else { "times" };
            let number = if self.gaps.count == 1 {
                String::new()
            } else {
                format!("{} ", count(self.gaps.count))
            };
            let long = duration(Duration::from_secs(self.gaps.seconds));
            let _ = writeln!(
                page,
                "  chat was away {number}{times} within a day, for {long} in all: what was said then is missing"
            );
        }
        let wide = |names: &mut dyn Iterator<Item = &String>| {
            names.map(|name| name.chars().count()).max().unwrap_or(0)
        };
        let width =
            wide(&mut self.outputs.keys()).max(wide(&mut self.rules.iter().map(|it| &it.slot)));
        for (name, text) in &self.outputs {
            let text = clean::text(&format!("{name:<width$}  shows {text:?}"));
            let _ = writeln!(page, "  {text}");
        }
        for rule in &self.rules {
            let digest: String = rule.digest.chars().take(12).collect();
            let failures = match rule.failures {
                0 => String::new(),
                failures => format!(", {} failed", count(failures)),
            };
            let text = format!(
                "{:<width$}  {} {} {} ({digest}), {} calls{failures}",
                rule.slot,
                rule.role,
                rule.name,
                rule.version,
                count(rule.calls)
            );
            let _ = writeln!(page, "  {}", clean::text(&text));
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Value {
        serde_json::json!({
            "version": "0.1.0", "uptime_seconds": 7385, "ready": false,
            "reasons": ["the MQTT broker is not connected"],
            "connections": { "chat": { "wanted": 1, "up": 1 }, "mqtt": { "up": false } },
            "faves": 12, "chat_lines": 1234, "duplicates": 0, "queue": 0, "store_bytes": 1_590_000,
            "backup": { "at": null, "file": null, "problem": "no room" },
            "channels": [{
                "name": "seaside",
                "stream": { "state": "unknown", "since": null },
                "gaps": { "count": 2, "seconds": 75 },
                "outputs": { "heat": "19\u{1b}[2J" },
                "rules": [{
                    "slot": "decay", "name": "decay", "version": "1.0.0", "role": "formula",
                    "digest": "0123456789abcdef", "calls": 12, "failures": 1,
                }],
            }],
        })
    }

    #[test]
    fn the_channel_that_is_meant_is_the_only_one_or_the_only_one_with_rules() {
        let mut told = status();
        let meant = |told: &Value| {
            crate::stream::only_channel(&Status::read(told.clone()).unwrap())
                .map_err(|error| error.to_string())
        };
        assert_eq!(meant(&told), Ok("seaside".to_owned()));
        let mut other = told["channels"][0].clone();
        (other["name"], other["rules"]) = ("harbour".into(), Value::Array(Vec::new()));
        told["channels"].as_array_mut().unwrap().insert(0, other);
        assert_eq!(meant(&told), Ok("seaside".to_owned()));
        told["channels"][0]["rules"] = told["channels"][1]["rules"].clone();
        assert!(meant(&told).unwrap_err().contains("--channel: harbour, seaside"));
    }

    #[test]
    fn one_screen_tells_it_all() {
        let page = Status::read(status()).unwrap().page();
        let expected = "\
heatd       0.1.0, up for 2 h 3 min
ready       no: the MQTT broker is not connected
chat        1 of 1 connections
mqtt        not connected
since start 1,234 chat lines, 12 faves, 0 duplicates
queue       0 events wait
store       1.6 MB
backup      none; the last try failed: no room

#seaside: the stream is unknown
  chat was away 2 times within a day, for 1 min 15 s in all: what was said then is missing
  heat   shows \"19\\u{1b}[2J\"
  decay  formula decay 1.0.0 (0123456789ab), 12 calls, 1 failed
";
        assert_eq!(page, expected);
    }
}
