//! `heat rules settings`: what is set, and setting something else while the rule runs.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::Value;

use super::done;
use crate::api::Payload;
use crate::api::slots::{self, SlotEntry};
use crate::target::{AnswerArgs, ProgressArgs, SlotChoice, choose};
use crate::terminal::table::{Colour, Table, has_colours, painted};
use crate::terminal::{clean, print, print_json};
use crate::values;

/// How wide the tables are at most: a terminal beside OBS is that narrow.
const WIDTH: usize = 100;

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat rules settings --slot decay
  heat rules settings set half_life=3m
  heat rules settings set 'levels={ warm = 10, hot = 25 }' --slot decay
  heat rules settings set --unset half_life";

#[derive(Args)]
#[command(after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(crate) struct SettingsArgs {
    #[command(subcommand)]
    change: Option<SettingsCommand>,
    #[command(flatten)]
    show: ShowSettingsArgs,
}

#[derive(Subcommand)]
enum SettingsCommand {
    /// Sets some settings; the others stay as they are.
    #[command(after_help = AFTER_HELP)]
    Set(SetSettingsArgs),
}

#[derive(Args)]
struct ShowSettingsArgs {
    /// Only this slot.
    #[arg(long, value_name = "SLOT")]
    slot: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
}

#[derive(Args)]
struct SetSettingsArgs {
    /// The settings, their values as in the configuration; a bare word is a text.
    #[arg(value_name = "KEY=VALUE", required_unless_present = "unset")]
    set: Vec<String>,
    /// A setting that goes back to its default.
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// The slot; not needed when only one rule has these settings.
    #[arg(long, value_name = "SLOT")]
    slot: Option<String>,
    #[command(flatten)]
    answer: ProgressArgs,
}

pub(super) fn run(options: &SettingsArgs) -> Result<()> {
    match &options.change {
        Some(SettingsCommand::Set(set)) => change(set),
        None => show(&options.show),
    }
}

fn change(set: &SetSettingsArgs) -> Result<()> {
    let wish = values::wish(&set.set, &set.unset)?;
    let api = set.answer.at.api()?;
    let rules = slots::rules(&api, set.answer.at.named()?.as_deref())?;
    let wanted = match &set.slot {
        Some(slot) => SlotChoice::Slot(slot),
        None => SlotChoice::Settings(values::keys(&set.set, &set.unset)),
    };
    let rule = choose(&rules, &wanted)?;
    let steps = api.start("POST", &rule.path("/settings"), &[], &Payload::Json(wish))?;
    done::show(&steps.follow(set.answer.json)?, set.answer.json)
}

fn show(show: &ShowSettingsArgs) -> Result<()> {
    let api = show.answer.at.api()?;
    let mut rules = slots::rules(&api, show.answer.at.named()?.as_deref())?;
    if let Some(slot) = &show.slot {
        // Says which there are, when there is none of this name.
        rules = match rules.iter().any(|rule| rule.slot == *slot) {
            true => rules.into_iter().filter(|rule| rule.slot == *slot).collect(),
            false => vec![choose(&rules, &SlotChoice::Slot(slot))?.clone()],
        };
    }
    if show.answer.json {
        let settings = rules.iter().map(|rule| {
            serde_json::json!({
                "channel": rule.channel, "slot": rule.slot, "settings": rule.settings, "set": rule.set,
                "defaults": rule.declared.iter().map(|it| (it.name.clone(), it.default.clone())).collect::<serde_json::Map<_, _>>(),
            })
        });
        let settings: Vec<_> = settings.collect();
        return print_json(&Value::Array(settings));
    }
    let pages: Vec<String> = rules.iter().map(|rule| page(rule, has_colours())).collect();
    print(&pages.join("\n"))?;
    Ok(())
}

fn page(rule: &SlotEntry, colours: bool) -> String {
    let SlotEntry { channel, slot, name, version, .. } = rule;
    let head = clean::text(&format!("#{channel} {slot}: {name} {version}"));
    let head = painted(&head, Colour::Bold, colours);
    let mut table = Table::new(&["setting", "value", "default", "what it is"]);
    for setting in &rule.declared {
        let set = rule.settings.get(&setting.name).filter(|_| rule.set.contains(&setting.name));
        let about = match setting.kind.as_str() {
            "" => setting.about.clone(),
            kind => format!("{kind}. {}", setting.about),
        };
        table.row([
            (setting.name.clone(), Colour::Plain),
            (set.map(values::typed).unwrap_or_default(), Colour::Yellow),
            (values::typed(&setting.default), Colour::Plain),
            (about, Colour::Dim),
        ]);
    }
    let undeclared = |name: &String| !rule.declared.iter().any(|it| it.name == *name);
    for (name, value) in rule.settings.iter().filter(|(name, _)| undeclared(name)) {
        table.plain([name.clone(), values::typed(value)]);
    }
    match (rule.declared.is_empty(), rule.settings.is_empty()) {
        (true, true) => format!("{head}\nnothing is set\n"),
        _ => format!("{head}\n{}", table.text_within(WIDTH, colours)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api;

    #[test]
    fn settings_are_shown_beside_their_defaults() {
        let rule: SlotEntry = api::read(
            json!({
                "channel": "seaside", "slot": "decay", "state": "live", "name": "decay", "version": "1.0.0", "digest": "0",
                "settings": { "half_life": "6s", "cap": 0 }, "set": ["half_life"],
                "declared": [
                    { "name": "half_life", "kind": "time", "default": "10m", "about": "The time in which the heat halves." },
                    { "name": "cap", "kind": "number", "default": 0, "about": "The heat rises no higher." },
                ],
            }),
            "a rule",
        )
        .unwrap();
        let expected = "\
#seaside decay: decay 1.0.0
setting    value  default  what it is
half_life  \"6s\"   \"10m\"    time. The time in which the heat halves.
cap               0        number. The heat rises no higher.
";
        assert_eq!(page(&rule, false), expected);
        let bare = SlotEntry { declared: Vec::new(), ..rule };
        let page = page(&bare, false);
        assert!(page.contains("half_life  \"6s\"\n") && page.contains("cap        0\n"), "{page}");
    }
}
