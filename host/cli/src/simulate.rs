//! `heat simulate`: what the rules would answer to something that did not happen.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::table::{Colour, has_colours, painted};
use crate::target::{self, Channel};
use crate::{clean, print};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat simulate fave --item pie
  heat simulate chat --user ann --text '?fave pie'
  heat simulate raid --viewers 250
  heat simulate stream-start --live    it happens: counts, state and outputs change";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// What happens.
    #[arg(value_enum)]
    kind: Kind,
    /// Who does it, by login.
    #[arg(long, value_name = "LOGIN")]
    user: Option<String>,
    /// What is faved.
    #[arg(long, value_name = "ITEM")]
    item: Option<String>,
    /// The chat line, or what is said along with it.
    #[arg(long, value_name = "TEXT", required_if_eq("kind", "chat"))]
    text: Option<String>,
    /// The tier of subscriptions: 1 to 3.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3))]
    tier: Option<u64>,
    /// How many subscriptions are given.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// How many bits are cheered.
    #[arg(long, value_name = "N")]
    bits: Option<u64>,
    /// How many viewers come with a raid.
    #[arg(long, value_name = "N")]
    viewers: Option<u64>,
    /// What is bought with channel points.
    #[arg(long, value_name = "NAME")]
    reward: Option<String>,
    /// Lets it happen: what rules answer is done, counted and shown.
    #[arg(long)]
    live: bool,
    /// Prints what heatd answers, as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: Channel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Fave,
    Chat,
    Sub,
    Gift,
    Cheer,
    Raid,
    Follow,
    Redeem,
    StreamStart,
    StreamEnd,
}

/// What heatd answers.
#[derive(Debug, Deserialize)]
pub(crate) struct Outcome {
    #[serde(default)]
    answers: Vec<Answer>,
    #[serde(default)]
    faves: f64,
    #[serde(default)]
    outputs: BTreeMap<String, Change>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    slot: String,
    #[serde(default)]
    effects: Vec<Value>,
    fault: Option<String>,
}

/// What an output shows before and after.
#[derive(Debug, Deserialize)]
pub(crate) struct Change {
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let event = options.event()?;
    let api = options.at.api()?;
    let channel = options.at.one(&api)?;
    let wish = json!({ "event": event, "live": options.live });
    let told = api.tell(&format!("/channels/{channel}/simulate"), &wish)?;
    if options.json {
        print(&format!("{}\n", clean::json(&serde_json::to_string_pretty(&told)?)))?;
        return Ok(());
    }
    let outcome: Outcome = target::read(told, "what rules answer")?;
    print(&outcome.page(&head(&channel, &event, options.live), options.live, has_colours()))?;
    Ok(())
}

impl Options {
    fn event(&self) -> Result<Map<String, Value>> {
        let kind = self.kind;
        let name = kind.to_possible_value().map(|value| value.get_name().to_owned());
        let mut event = Map::from_iter([("kind".to_owned(), json!(name))]);
        for (flag, value, kinds) in self.details() {
            let Some(value) = value else { continue };
            if !kinds.contains(&kind) {
                anyhow::bail!("--{flag} says nothing about {}", name.unwrap_or_default());
            }
            event.insert(flag.to_owned(), value);
        }
        Ok(event)
    }

    /// Each detail, as far as it was said, and the kinds that have it.
    fn details(&self) -> [(&'static str, Option<Value>, &'static [Kind]); 8] {
        use Kind::{Chat, Cheer, Fave, Follow, Gift, Raid, Redeem, Sub};
        const PEOPLE: &[Kind] = &[Fave, Chat, Sub, Gift, Cheer, Raid, Follow, Redeem];
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        [
            ("user", text(&self.user), PEOPLE),
            ("item", text(&self.item), &[Fave]),
            ("text", text(&self.text), &[Chat, Sub, Cheer, Redeem]),
            ("tier", self.tier.map(Value::from), &[Sub, Gift]),
            ("count", self.count.map(Value::from), &[Gift]),
            ("bits", self.bits.map(Value::from), &[Cheer]),
            ("viewers", self.viewers.map(Value::from), &[Raid]),
            ("reward", text(&self.reward), &[Redeem]),
        ]
    }
}

fn head(channel: &str, event: &Map<String, Value>, live: bool) -> String {
    let detail = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!(", {name} {text:?}"),
        other => format!(", {name} {other}"),
    };
    let kind = event.get("kind").and_then(Value::as_str).unwrap_or_default();
    let details: String = event.iter().filter(|(name, _)| *name != "kind").map(detail).collect();
    let state = if live { "this happened in" } else { "simulated, nothing of this happened in" };
    format!("{state} #{channel}: {kind}{details}")
}

impl Outcome {
    pub(crate) fn page(&self, head: &str, live: bool, colours: bool) -> String {
        let width = self.answers.iter().map(|answer| answer.slot.chars().count());
        let outputs = self.outputs.keys().map(|name| name.chars().count());
        let width = width.chain(outputs).max().unwrap_or(0);
        let mut page = painted(&clean::text(head), Colour::Bold, colours) + "\n";
        let mut line = |name: &str, text: &str, colour| {
            let name = clean::text(&format!("{name:<width$}"));
            page.push_str(&format!("  {name}  {}\n", painted(&clean::text(text), colour, colours)));
        };
        for Answer { slot, effects, fault } in &self.answers {
            for effect in effects {
                line(slot, &words(effect), Colour::Cyan);
            }
            if effects.is_empty() && fault.is_none() {
                // It may have kept something, such as when a boost ends.
                line(slot, "is told, and does nothing that is seen", Colour::Plain);
            }
            if let Some(fault) = fault {
                line(slot, &format!("failed: {fault}"), Colour::Red);
            }
        }
        for (name, change) in &self.outputs {
            let would = if live { "shows" } else { "would show" };
            let text = format!("{would} {}", change.words());
            line(name, &text, Colour::Yellow);
        }
        if self.answers.is_empty() {
            page.push_str("  no rule is told of it\n");
        }
        if self.faves != 0.0 {
            let counted = if live { "counted" } else { "would be counted" };
            page.push_str(&format!("  faves of weight {} {counted}\n", self.faves));
        }
        page
    }
}

impl Change {
    /// Before and after, where both are known.
    pub(crate) fn words(&self) -> String {
        let quoted = |text: &Option<String>| match text {
            Some(text) => format!("{text:?}"),
            None => "nothing".to_owned(),
        };
        let (before, after) = (quoted(&self.before), quoted(&self.after));
        if before == after {
            format!("{after} as before")
        } else {
            format!("{after} instead of {before}")
        }
    }
}

fn words(effect: &Value) -> String {
    match effect {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn event(arguments: &[&str]) -> Result<Map<String, Value>> {
        Line::try_parse_from([&["simulate"], arguments].concat())?.options.event()
    }

    #[test]
    fn what_was_said_becomes_an_event() {
        let fave = event(&["fave", "--user", "ann", "--item", "pie"]).unwrap();
        assert_eq!(Value::Object(fave), json!({ "kind": "fave", "user": "ann", "item": "pie" }));
        let start = event(&["stream-start"]).unwrap();
        assert_eq!(Value::Object(start), json!({ "kind": "stream-start" }));
        let gift = event(&["gift", "--tier", "2", "--count", "10"]).unwrap();
        assert_eq!(Value::Object(gift), json!({ "kind": "gift", "tier": 2, "count": 10 }));
    }

    #[test]
    fn a_detail_that_it_has_not_is_refused() {
        let refused = event(&["raid", "--bits", "3"]).unwrap_err().to_string();
        assert_eq!(refused, "--bits says nothing about raid");
        assert!(event(&["chat"]).is_err() && event(&["sub", "--tier", "4"]).is_err());
    }

    #[test]
    fn answers_and_outputs_are_told_as_simulated() {
        let outcome: Outcome = target::read(
            json!({
                "simulated": true, "faves": 1.5,
                "answers": [
                    { "slot": "multiplier", "effects": ["weigh 1.5"], "fault": null },
                    { "slot": "quiet", "effects": [], "fault": null },
                    { "slot": "bad", "effects": [], "fault": "trap\u{1b}[2J" },
                ],
                "outputs": { "heat": { "before": "3", "after": "4" }, "level": { "before": null, "after": "warm" } },
            }),
            "answers",
        )
        .unwrap();
        let expected = "\
simulated, nothing of this happened in #seaside: fave, item \"pie\"
  multiplier  weigh 1.5
  quiet       is told, and does nothing that is seen
  bad         failed: trap\u{FFFD}[2J
  heat        would show \"4\" instead of \"3\"
  level       would show \"warm\" instead of nothing
  faves of weight 1.5 would be counted
";
        let event = event(&["fave", "--item", "pie"]).unwrap();
        assert_eq!(outcome.page(&head("seaside", &event, false), false, false), expected);
    }
}
