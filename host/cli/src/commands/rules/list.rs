//! `heat rules list`: every slot in a row, with what differs from the configuration, and what runs beside it.

use anyhow::Result;
use clap::Args;

use crate::api::differences::{Difference, differences};
use crate::api::slots::{self, Shadow, SlotEntry};
use crate::target::AnswerArgs;
use crate::terminal::table::{Colour, Table, has_colours, short};
use crate::terminal::words::{ago, count};
use crate::terminal::{clean, print};

#[derive(Args)]
pub(crate) struct ListRulesArgs {
    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn run(options: &ListRulesArgs) -> Result<()> {
    let api = options.answer.at.api()?;
    if options.answer.json {
        let told = serde_json::to_string_pretty(&api.get("/rules", &[])?)?;
        print(&format!("{}\n", clean::json(&told)))?;
        return Ok(());
    }
    let rules = slots::rules(&api, options.answer.at.named()?.as_deref())?;
    let differences = match rules.iter().any(|rule| rule.changed) {
        true => differences(&api)?,
        false => Vec::new(),
    };
    print(&page(&rules, &differences, has_colours()))?;
    Ok(())
}

fn page(rules: &[SlotEntry], differences: &[Difference], colours: bool) -> String {
    if rules.is_empty() {
        return "there are no rules here; [[rule]] in heatd.toml names them, and [twitch] channels their channels\n".to_owned();
    }
    let names = ["channel", "slot", "state", "rule", "digest", "since", "failures", "differs in"];
    let mut table = Table::new(&names);
    for rule in rules {
        let since = rule.since.map(|since| format!("{} ago", ago(since))).unwrap_or_default();
        table.row([
            (format!("#{}", rule.channel), Colour::Plain),
            (rule.slot.clone(), Colour::Plain),
            (rule.state.clone(), colour(&rule.state)),
            (format!("{} {}", rule.name, rule.version), Colour::Plain),
            (short(&rule.digest), Colour::Plain),
            (since, Colour::Plain),
            (failures(rule.failures), Colour::Red),
            (differs(rule, differences), Colour::Yellow),
        ]);
        if let Some(reason) = &rule.reason {
            table.below(&format!("{}: {reason}", rule.state));
        }
        if let Some(shadow) = &rule.shadow {
            table.below(&beside(shadow));
        }
    }
    table.text(colours)
}

fn colour(state: &str) -> Colour {
    match state {
        "live" => Colour::Green,
        "probation" => Colour::Yellow,
        _ => Colour::Red,
    }
}

fn failures(number: u64) -> String {
    if number == 0 { String::new() } else { count(number) }
}

/// What differs, as the configuration names it.
fn differs(rule: &SlotEntry, differences: &[Difference]) -> String {
    let of_this = |it: &&Difference| it.channel == rule.channel && it.slot == rule.slot;
    let what: Vec<&str> =
        differences.iter().filter(of_this).map(|difference| difference.what.as_str()).collect();
    match (what.as_slice(), rule.changed) {
        ([], true) => "the configuration".to_owned(),
        (what, _) => what.join(", "),
    }
}

fn beside(shadow: &Shadow) -> String {
    let since = shadow.since.map(|since| format!(" for {}", ago(since))).unwrap_or_default();
    let events = shadow.events.map(|events| format!(", {} events", count(events)));
    let shows: Vec<String> = shadow
        .outputs
        .iter()
        .filter_map(|(name, text)| Some(format!("{name} {:?}", text.as_str()?)))
        .collect();
    let shows = match shows.as_slice() {
        [] => String::new(),
        shows => format!(", would show {}", shows.join(", ")),
    };
    let Shadow { name, version, digest, .. } = shadow;
    let (digest, events) = (short(digest), events.unwrap_or_default());
    format!("shadow: {name} {version} ({digest}){since}{events}{shows}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api;

    #[test]
    fn every_slot_is_a_row_and_a_shadow_stands_below() {
        let rule = |slot: &str, more: Value| {
            let mut rule = json!({
                "channel": "seaside", "slot": slot, "state": "live", "name": slot, "version": "1.0.0", "role": "formula",
                "digest": "0123456789abcdef", "changed": false, "settings": {}, "calls": 9, "failures": 0,
            });
            if let (Value::Object(rule), Value::Object(more)) = (&mut rule, more) {
                rule.extend(more);
            }
            api::read::<SlotEntry>(rule, "a rule").unwrap()
        };
        let shadow = json!({
            "name": "decay", "version": "1.3.0", "digest": "fedcba9876543210", "events": 1200, "outputs": { "heat": "7" },
        });
        let rules = [
            rule(
                "fave",
                json!({ "state": "quarantined", "reason": "it failed 5 times\u{1b}[2J", "failures": 5 }),
            ),
            rule("decay", json!({ "changed": true, "shadow": shadow })),
        ];
        let differences = [api::read(
            json!({ "channel": "seaside", "slot": "decay", "what": "half_life", "configured": "6s", "live": "3m" }),
            "a difference",
        )
        .unwrap()];
        let expected = "\
channel   slot   state        rule         digest        failures  differs in
#seaside  fave   quarantined  fave 1.0.0   0123456789ab  5
  quarantined: it failed 5 times\u{FFFD}[2J
#seaside  decay  live         decay 1.0.0  0123456789ab            half_life
  shadow: decay 1.3.0 (fedcba987654), 1,200 events, would show heat \"7\"
";
        assert_eq!(page(&rules, &differences, false), expected);
        assert!(page(&[], &[], false).contains("[[rule]]"));
    }
}
