//! `heat rules audit`: the audit log of heatd.

use anyhow::Result;
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::target::AnswerArgs;
use crate::terminal::table::{Colour, Table, has_colours, short};
use crate::terminal::{print, print_json};
use crate::{api, values, when};

#[derive(Args)]
pub(crate) struct AuditArgs {
    /// Only what concerns this slot.
    #[arg(long, value_name = "SLOT")]
    slot: Option<String>,
    /// How many entries, the newest ones.
    #[arg(long, value_name = "N", default_value = "20")]
    count: u32,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// Something that was changed, or was refused.
#[derive(Debug, Deserialize)]
struct AuditEntry {
    number: u64,
    at: u64,
    channel: String,
    #[serde(default)]
    slot: String,
    action: String,
    by: Option<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    settings: Value,
    refused: Option<String>,
    note: Option<String>,
}

pub(super) fn run(options: &AuditArgs) -> Result<()> {
    let mut query = options.answer.at.query()?;
    query.extend(options.slot.iter().map(|slot| ("slot", slot.clone())));
    query.push(("count", options.count.to_string()));
    let told = options.answer.at.api()?.get("/audit", &query)?;
    if options.answer.json {
        return print_json(&told);
    }
    print(&page(told, has_colours())?)?;
    Ok(())
}

fn page(told: Value, colours: bool) -> Result<String> {
    #[derive(Deserialize)]
    struct AuditLog {
        entries: Vec<AuditEntry>,
    }
    let AuditLog { entries } = api::read(told, "its history")?;
    if entries.is_empty() {
        return Ok("nothing was changed yet\n".to_owned());
    }
    let mut table =
        Table::new(&["#", "at", "channel", "slot", "action", "by", "from", "to", "settings"]);
    for entry in &entries {
        let colour = if entry.refused.is_some() { Colour::Red } else { Colour::Plain };
        // What concerns heatd and no channel has none.
        let channel = match entry.channel.as_str() {
            "" => String::new(),
            channel => format!("#{channel}"),
        };
        let digest = |digest: &Option<String>| digest.as_deref().map(short).unwrap_or_default();
        table.row([
            (entry.number.to_string(), Colour::Dim),
            (when::show(entry.at), Colour::Plain),
            (channel, Colour::Plain),
            (entry.slot.clone(), Colour::Plain),
            (entry.action.clone(), colour),
            (entry.by.clone().unwrap_or_default(), Colour::Plain),
            (digest(&entry.from), Colour::Plain),
            (digest(&entry.to), Colour::Plain),
            (settings(&entry.settings), Colour::Plain),
        ]);
        if let Some(refused) = &entry.refused {
            table.below(&format!("refused: {}", line(refused)));
        }
        if let Some(note) = entry.note.as_deref().filter(|note| !note.is_empty()) {
            table.below(&line(note));
        }
    }
    Ok(table.text(colours))
}

/// A text of several lines as one: what a compiler says may have some.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn settings(settings: &Value) -> String {
    match settings {
        Value::Object(settings) => {
            let entry = |(key, value): (&String, &Value)| format!("{key}={}", values::typed(value));
            settings.iter().map(entry).collect::<Vec<_>>().join(" ")
        }
        Value::String(text) => text.clone(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_refused_is_told_too() {
        let told = json!({ "entries": [
            { "number": 2, "at": 0, "channel": "seaside", "slot": "decay", "action": "deploy", "by": "owner", "from": "aaaaaaaaaaaaaaaa",
              "to": "bbbbbbbbbbbbbbbb", "settings": null, "refused": "it traps: [\n    0x0,\n]", "note": null },
            { "number": 1, "at": 0, "channel": "seaside", "slot": "decay", "action": "settings", "by": "owner", "from": null, "to": null,
              "settings": { "half_life": "3m" }, "refused": null, "note": "" },
        ]});
        let page = page(told, false).unwrap();
        let lines: Vec<&str> = page.lines().collect();
        assert!(
            lines[1].contains("deploy") && lines[1].contains("aaaaaaaaaaaa  bbbbbbbbbbbb"),
            "{page}"
        );
        assert_eq!(lines[2], "  refused: it traps: [ 0x0, ]");
        assert!(lines[3].ends_with("half_life=\"3m\""), "{page}");
    }

    #[test]
    fn an_empty_history_is_said() {
        assert_eq!(page(json!({ "entries": [] }), false).unwrap(), "nothing was changed yet\n");
    }
}
