//! `heat why`: which events and which rules are behind what an output shows.

use anyhow::Result;
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::target::AnswerArgs;
use crate::terminal::table::{Colour, Table, has_colours, short};
use crate::terminal::{clean, print, print_json};
use crate::{api, when};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat why
  heat why --output level --count 5
  heat undo --event ID          takes one of these events back";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct WhyArgs {
    /// The output.
    #[arg(long, value_name = "NAME", default_value = "heat")]
    output: String,
    /// How many changes, the last ones.
    #[arg(long, value_name = "N", default_value = "20")]
    count: u32,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Deserialize)]
struct Why {
    output: String,
    since: Option<u64>,
    #[serde(default)]
    causes: Vec<Cause>,
}

/// One change.
#[derive(Debug, Deserialize)]
struct Cause {
    at: u64,
    slot: String,
    digest: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    person: Value,
    #[serde(default)]
    faves: f64,
    before: Option<String>,
    after: Option<String>,
}

pub(crate) fn run(options: &WhyArgs) -> Result<()> {
    let api = options.answer.at.api()?;
    let channel = options.answer.at.one(&api)?;
    let query = [("output", options.output.clone()), ("count", options.count.to_string())];
    let told = api.get(&format!("/channels/{channel}/why"), &query)?;
    if options.answer.json {
        return print_json(&told);
    }
    print(&api::read::<Why>(told, "the causes")?.page(has_colours()))?;
    Ok(())
}

impl Why {
    fn page(&self, colours: bool) -> String {
        let since = self.since.map(|since| format!(" since {}", when::show(since)));
        let since = since.unwrap_or_default();
        if self.causes.is_empty() {
            let text = format!(
                "nothing has changed {}{since}, as far as the log goes back\n",
                self.output
            );
            return clean::text(text.trim_end()) + "\n";
        }
        let names =
            ["at", "before → after", "by slot", "digest", "faves", "from", "person", "event"];
        let mut table = Table::new(&names);
        for cause in &self.causes {
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
            let faves = if cause.faves == 0.0 { String::new() } else { cause.faves.to_string() };
            table.row([
                (when::show(cause.at), Colour::Plain),
                (format!("{} → {}", text(&cause.before), text(&cause.after)), Colour::Yellow),
                (cause.slot.clone(), Colour::Plain),
                (short(&cause.digest), Colour::Plain),
                (faves, Colour::Plain),
                (cause.kind.clone(), Colour::Plain),
                (person(&cause.person), Colour::Plain),
                (cause.event.clone(), Colour::Dim),
            ]);
        }
        table.text(colours)
    }
}

/// A login, however heatd tells people.
fn person(person: &Value) -> String {
    let login = person.as_str().or_else(|| person["login"].as_str());
    login.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_are_told_with_what_is_behind_them() {
        let why: Why = api::read(
            json!({ "output": "heat", "since": 0, "causes": [
                { "at": 0, "slot": "decay", "digest": "0123456789abcdef", "event": "c-1", "kind": "chat", "person": "ann",
                  "faves": 1.5, "before": null, "after": "2" },
                { "at": 0, "slot": "decay", "digest": "0123456789abcdef", "event": "decay:fall", "kind": "timer", "person": null,
                  "faves": 0, "before": "2", "after": "1" },
            ]}),
            "causes",
        )
        .unwrap();
        let page = why.page(false);
        let rows: Vec<&str> =
            page.lines().map(|row| row.split_once("– → 2").map_or(row, |(_, rest)| rest)).collect();
        assert_eq!(
            rows[1], "           decay    0123456789ab  1.5    chat   ann     c-1",
            "{page}"
        );
        assert!(
            rows[2].contains("2 → 1") && rows[2].ends_with("timer          decay:fall"),
            "{page}"
        );
    }

    #[test]
    fn an_output_that_never_changed_is_said() {
        let why = Why { output: "heat".to_owned(), since: None, causes: Vec::new() };
        assert!(why.page(false).starts_with("nothing has changed heat"));
    }
}
