//! `heat status`: how heatd does, on one screen.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::api::Api;
use crate::api::status::{BackupStatus, ChannelStatus, Connections, Status};
use crate::find::Place;
use crate::terminal::words::{ago, bytes, count, duration};
use crate::terminal::{clean, print, print_json};

/// So begin the names of outputs that everybody has to know of, such as that faves are paused.
const NOTICE: &str = "notice-";

#[derive(Args)]
#[command(after_help = "Examples:\n  heat status\n  heat status --json | jq .faves")]
pub(crate) struct StatusArgs {
    /// Prints everything that heatd tells, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) fn run(options: &StatusArgs) -> Result<()> {
    let told = Api::at(&options.place)?.status()?;
    if options.json {
        return print_json(&told);
    }
    print(&Status::read(told)?.page())?;
    Ok(())
}

impl Status {
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
        for it in &self.unrecognized {
            let (interface, what, example) = (&it.interface, &it.what, &it.example);
            let times = count(it.count);
            line(
                "unknown",
                format!("{interface}: {what}, {times} times; update heatd, or report: {example}"),
            );
        }
        for channel in &self.channels {
            page.push('\n');
            page.push_str(&channel.page());
        }
        page
    }
}

impl BackupStatus {
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

impl ChannelStatus {
    fn page(&self) -> String {
        let since = self.stream.since.map(|since| format!(" for {}", ago(since)));
        let (state, since) = (&self.stream.state, since.unwrap_or_default());
        let mut page = clean::text(&format!("#{}: the stream is {state}{since}", self.name));
        page.push('\n');
        for (_, text) in self.outputs.iter().filter(|(name, _)| name.starts_with(NOTICE)) {
            let _ = writeln!(page, "  ! {}", clean::text(text));
        }
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
        let shown = self.outputs.iter().filter(|(name, _)| !name.starts_with(NOTICE));
        let width = wide(&mut shown.clone().map(|(name, _)| name))
            .max(wide(&mut self.rules.iter().map(|it| &it.slot)));
        for (name, text) in shown {
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
    use serde_json::Value;

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
                "outputs": { "heat": "19\u{1b}[2J", "notice-faves": "Faves are paused" },
                "rules": [{
                    "slot": "decay", "name": "decay", "version": "1.0.0", "role": "formula",
                    "digest": "0123456789abcdef", "calls": 12, "failures": 1,
                }],
            }],
        })
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
  ! Faves are paused
  chat was away 2 times within a day, for 1 min 15 s in all: what was said then is missing
  heat   shows \"19\\u{1b}[2J\"
  decay  formula decay 1.0.0 (0123456789ab), 12 calls, 1 failed
";
        assert_eq!(page, expected);
    }
}
