//! `heat person`: who somebody is, since when they are known, and how often they came.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::api::slots::segment;
use crate::target::AnswerArgs;
use crate::terminal::words::count;
use crate::terminal::{clean, print, print_json};
use crate::{api, when};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat person ann
  heat person 123456 --channel seaside --json";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct PersonArgs {
    /// An id, a login or a name, of now or before
    #[arg(value_name = "NAME")]
    person: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Deserialize)]
struct KnownPerson {
    channel: String,
    ids: Vec<String>,
    names: Vec<Name>,
    log_since: Option<u64>,
    first_seen: Option<u64>,
    last_seen: Option<u64>,
    first_line: Option<FirstLine>,
    days: u64,
    events: BTreeMap<String, u64>,
    faves: u64,
    weight: f64,
}

#[derive(Deserialize)]
struct Name {
    login: String,
    name: String,
    first_seen: Option<u64>,
    last_seen: Option<u64>,
}

#[derive(Deserialize)]
struct FirstLine {
    at: u64,
    text: String,
}

pub(crate) fn run(options: &PersonArgs) -> Result<()> {
    let api = options.answer.at.api()?;
    let channel = options.answer.at.one(&api)?;
    let person = segment(options.person.trim_start_matches('@'));
    let told = api.get(&format!("/channels/{channel}/people/{person}"), &[])?;
    if options.answer.json {
        return print_json(&told);
    }
    print(&page(told)?)?;
    Ok(())
}

fn page(told: Value) -> Result<String> {
    let known: KnownPerson = api::read(told, "what is known of a person")?;
    let mut page = String::new();
    let present = known.names.last().map_or("?", |it| it.name.as_str());
    let ids = if known.ids.is_empty() { "no id".to_owned() } else { known.ids.join(", ") };
    let _ = writeln!(page, "{} in #{} ({ids})", clean::text(present), known.channel);
    for it in &known.names {
        let seen = match (it.first_seen, it.last_seen) {
            (Some(first), Some(last)) if first != last => {
                format!("{} to {}", when::show(first), when::show(last))
            }
            (_, Some(last)) => when::show(last),
            _ => "not in the log any more".to_owned(),
        };
        let _ = writeln!(page, "  {} ({}): {seen}", clean::text(&it.login), clean::text(&it.name));
    }
    if let (Some(first), Some(last)) = (known.first_seen, known.last_seen) {
        let days = if known.days == 1 {
            "on one day".to_owned()
        } else {
            format!("on {} days", known.days)
        };
        let _ =
            writeln!(page, "seen {days}, first {}, last {}", when::show(first), when::show(last));
    }
    let events: Vec<String> =
        known.events.iter().map(|(kind, times)| format!("{} {kind}", count(*times))).collect();
    if !events.is_empty() {
        let _ = writeln!(page, "{}", events.join(", "));
    }
    let _ = writeln!(page, "{} faves that count, of weight {}", count(known.faves), known.weight);
    if let Some(first) = known.first_line {
        let (at, text) = (when::show(first.at), clean::text(&first.text));
        let _ = writeln!(page, "the first line, {at}: {text}");
    }
    if let Some(since) = known.log_since {
        let _ = writeln!(page, "the log goes back to {}", when::show(since));
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_visits_are_told_and_strangers_words_are_harmless() {
        let told = json!({
            "channel": "seaside", "ids": ["42"], "log_since": 0, "first_seen": 0, "last_seen": 9, "days": 2, "faves": 3, "weight": 4.5,
            "names": [
                { "login": "ann", "name": "Ann", "first_seen": null, "last_seen": null },
                { "login": "anna", "name": "Anna\u{1b}[2J", "first_seen": 0, "last_seen": 9 }
            ],
            "first_line": { "at": 0, "text": "hi\u{7}" }, "events": { "chat": 1307, "follow": 1 }
        });
        let page = page(told).unwrap();
        assert!(!page.contains(['\u{1b}', '\u{7}']), "{page:?}");
        assert!(page.contains("ann (Ann): not in the log any more"), "{page}");
        assert!(page.contains("on 2 days") && page.contains("1,307 chat, 1 follow"), "{page}");
        assert!(page.contains("3 faves that count, of weight 4.5"), "{page}");
    }
}
