//! `heat rules add` and `heat rules remove`: a rule in a slot of its own, while heatd runs.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::done;
use crate::api::slots;
use crate::api::{Payload, read};
use crate::target::{AnswerArgs, ProgressArgs, SlotChoice, choose};
use crate::terminal::{clean, print, print_json};
use crate::{rule_file, values};

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat rules add target/rules/combo.wasm
  heat rules add raid.wasm --slot raids --after fave --set seconds=90
  heat rules remove raids              takes it out again

heatd compiles it, tries it on what happened before, and calls it from the next event on. It stays over restarts,
until heatd.toml has a slot of that name. To let a rule publish by MQTT, write it into heatd.toml: only there are grants.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct AddRuleArgs {
    /// The rule: a WebAssembly component, the module that a compiler made, or the folder of a rule.
    #[arg(value_name = "FILE or FOLDER")]
    file: PathBuf,
    /// The name of its slot; by default the name of the file.
    #[arg(long, value_name = "SLOT")]
    slot: Option<String>,
    /// The slot after which it is called; by default after all others.
    #[arg(long, value_name = "SLOT")]
    after: Option<String>,
    /// A setting, its value as in the configuration; a bare word is a text.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    answer: ProgressArgs,
}

pub(super) fn add(options: &AddRuleArgs) -> Result<()> {
    let component = rule_file::read(&options.file)?;
    let settings = values::query(&options.set, &[])?;
    let api = options.answer.at.api()?;
    let channel = options.answer.at.one(&api)?;
    let slot = options.slot.clone().unwrap_or_else(|| slot_of(&rule_file::stem(&options.file)));
    let mut query = vec![("slot", slot)];
    query.extend(options.after.clone().map(|after| ("after", after)));
    query.extend(settings);
    let path = format!("/channels/{channel}/rules");
    let steps = api.start("POST", &path, &query, &Payload::Component(&component))?;
    done::show(&steps.follow(options.answer.json)?, options.answer.json)
}

/// The slot of a file that is named so: `Song_Faves` gets `song_faves`.
fn slot_of(stem: &str) -> String {
    stem.to_lowercase().replace([' ', '.'], "-")
}

#[derive(Args)]
pub(crate) struct RemoveRuleArgs {
    /// The slot. Its rule was added while heatd ran; its state goes with it.
    #[arg(value_name = "SLOT")]
    slot: String,
    #[command(flatten)]
    answer: AnswerArgs,
}

pub(super) fn remove(options: &RemoveRuleArgs) -> Result<()> {
    let api = options.answer.at.api()?;
    let rules = slots::rules(&api, options.answer.at.named()?.as_deref())?;
    let rule = choose(&rules, &SlotChoice::Slot(&options.slot))?;
    let answer = api.delete(&rule.path(""))?;
    match options.answer.json {
        true => print_json(&answer),
        false => {
            let told: Told = read(answer, "the answer")?;
            Ok(print(&format!("{}\n", clean::text(&told.message)))?)
        }
    }
}

#[derive(serde::Deserialize)]
struct Told {
    message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_named_as_the_file_is() {
        for (file, slot) in [("combo", "combo"), ("Song_Faves", "song_faves"), ("a 1.2", "a-1-2")] {
            assert_eq!(slot_of(file), slot);
        }
    }
}
