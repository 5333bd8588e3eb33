//! `heat simulate`: what the rules would answer to something that did not happen.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::api;
use crate::api::outputs::Simulation;
use crate::target::AnswerArgs;
use crate::terminal::table::has_colours;
use crate::terminal::{print, print_json};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat simulate fave --item pie
  heat simulate chat --user ann --text '?fave pie'
  heat simulate raid --viewers 250
  heat simulate stream-start --live    it happens: counts, state and outputs change";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct SimulateArgs {
    /// What happens.
    #[arg(value_enum)]
    kind: EventKind,
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
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EventKind {
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

pub(crate) fn run(options: &SimulateArgs) -> Result<()> {
    let event = options.event()?;
    let api = options.answer.at.api()?;
    let channel = options.answer.at.one(&api)?;
    let wish = json!({ "event": event, "live": options.live });
    let told = api.post(&format!("/channels/{channel}/simulate"), &wish)?;
    if options.answer.json {
        return print_json(&told);
    }
    let outcome: Simulation = api::read(told, "what rules answer")?;
    print(&outcome.page(&head(&channel, &event, options.live), options.live, has_colours()))?;
    Ok(())
}

impl SimulateArgs {
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
    fn details(&self) -> [(&'static str, Option<Value>, &'static [EventKind]); 8] {
        use EventKind::{Chat, Cheer, Fave, Follow, Gift, Raid, Redeem, Sub};
        const PEOPLE: &[EventKind] = &[Fave, Chat, Sub, Gift, Cheer, Raid, Follow, Redeem];
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct SimulateLine {
        #[command(flatten)]
        options: SimulateArgs,
    }

    fn event(arguments: &[&str]) -> Result<Map<String, Value>> {
        SimulateLine::try_parse_from([&["simulate"], arguments].concat())?.options.event()
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
        let outcome: Simulation = api::read(
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
