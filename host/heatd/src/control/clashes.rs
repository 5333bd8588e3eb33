//! Finds rules of one channel that show outputs of one name: each would overwrite what the other shows.

use std::collections::{BTreeMap, HashMap};

use heat_engine::wit::SettingValue;
use heat_engine::{Chain, Rule};

use super::error::Error;
use crate::config::{Config, Mistakes};

/// A clash is a mistake at the later of two rules.
pub(super) fn report(config: &Config, chains: &[Chain], mistakes: &Mistakes) {
    let mut reported = Vec::new();
    for chain in chains {
        let mut shown: HashMap<String, &str> = HashMap::new();
        for (slot, rule) in &chain.rules {
            for (setting, output) in outputs(rule) {
                let Some(other) = shown.insert(output.clone(), slot).filter(|it| it != slot) else {
                    continue;
                };
                let clash = (other.to_owned(), slot.clone(), output.clone());
                let configured =
                    config.rules.iter().find(|it| it.slot == *slot && it.is_for(&chain.channel));
                if let Some(configured) = configured
                    && !reported.contains(&clash)
                {
                    let problem = format!(
                        "the rules in slots `{other}` and `{slot}` both show the output `{output}` in #{}",
                        chain.channel
                    );
                    let name = proposal(&setting, slot);
                    let hint =
                        format!("give one another name, such as settings.{setting} = \"{name}\"");
                    mistakes.add_with_hint(configured.span_of(&setting), problem, hint);
                    reported.push(clash);
                }
            }
        }
    }
}

/// Whether a rule that comes into this slot while heatd runs would show what another rule of the channel shows.
pub(super) fn refuse(chain: &[(String, Rule)], slot: &str, rule: &Rule) -> Result<(), Error> {
    let others = || chain.iter().filter(|(other, _)| other != slot);
    let shows = |other: &Rule, output: &str| outputs(other).any(|(_, name)| name == output);
    let (mut taken, mut free) = (BTreeMap::<&str, Vec<String>>::new(), Vec::new());
    for (setting, output) in outputs(rule) {
        if let Some((other, _)) = others().find(|(_, other)| shows(other, &output)) {
            free.push(format!("{setting}={}", proposal(&setting, slot)));
            taken.entry(other).or_default().push(output);
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    let told = |(other, names): (&str, Vec<String>)| {
        let s = if names.len() > 1 { "s" } else { "" };
        format!("the rule in slot {other} shows the output{s} {} already", names.join(", "))
    };
    let taken: Vec<String> = taken.into_iter().map(told).collect();
    let (taken, free) = (taken.join(", and "), free.join(" "));
    Err(Error::because(format!(
        "{taken}; set what this one shows to something else, such as {free}"
    )))
}

/// A free name for what a setting names: `warmth` for `output`, `warmth-level` for `level_output`.
fn proposal(setting: &str, slot: &str) -> String {
    match setting.strip_suffix("_output") {
        Some(what) => format!("{slot}-{}", what.replace('_', "-")),
        None => slot.to_owned(),
    }
}

/// The outputs that a rule shows, as far as its settings tell: those that are called `output`, or end so. By setting.
fn outputs(rule: &Rule) -> impl Iterator<Item = (String, String)> {
    rule.settings().iter().filter_map(|(name, value)| match value {
        SettingValue::Text(output) if !output.is_empty() => {
            (name == "output" || name.ends_with("_output")).then(|| (name.clone(), output.clone()))
        }
        _ => None,
    })
}
