//! Which heatd, which channel and which slot a command is about, however little of it was said.

use std::io::{IsTerminal, stdin};

use anyhow::{Result, bail};
use clap::Args;

use crate::api::Api;
use crate::api::slots::SlotEntry;
use crate::api::status::Status;
use crate::find::Place;
use crate::terminal::agrees;

/// A heatd, and one of its channels.
#[derive(Args, Clone, Default)]
pub(crate) struct ChannelArgs {
    /// The channel; not needed when heatd has only one, or only one with rules.
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

impl ChannelArgs {
    pub(crate) fn api(&self) -> Result<Api> {
        Api::at(&self.place)
    }

    /// The channel that was named, as heatd knows it.
    pub(crate) fn named(&self) -> Result<Option<String>> {
        self.channel.as_deref().map(channel_name).transpose()
    }

    /// The channel that was named, or the only one.
    pub(crate) fn one(&self, api: &Api) -> Result<String> {
        match self.named()? {
            Some(channel) => Ok(channel),
            None => only_channel(&Status::read(api.status()?)?),
        }
    }

    /// The question for one channel, or for all.
    pub(crate) fn query(&self) -> Result<Vec<(&'static str, String)>> {
        Ok(self.named()?.map(|channel| ("channel", channel)).into_iter().collect())
    }
}

/// A channel, and the form of the answer.
#[derive(Args)]
pub(crate) struct AnswerArgs {
    /// Prints what heatd answers, as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) at: ChannelArgs,
}

/// The same for work that takes time.
#[derive(Args)]
pub(crate) struct ProgressArgs {
    /// One JSON object a line, as heatd sends them.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) at: ChannelArgs,
}

/// Whether something that cannot be undone is done, shown, or asked for first.
#[derive(Args)]
pub(crate) struct PreviewArgs {
    /// Only shows what would change.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) preview: bool,
    /// Does it without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Whether something that others see at once is done without asking.
#[derive(Args)]
pub(crate) struct SureArgs {
    /// Does it without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

impl SureArgs {
    /// Whether it is to be done. Where nobody can be asked, that is an error.
    pub(crate) fn asks(&self, question: &str, json: bool) -> Result<bool> {
        if self.yes {
            return Ok(true);
        }
        if json || !stdin().is_terminal() {
            bail!("nobody can be asked here; --yes does it");
        }
        agrees(question)
    }
}

impl PreviewArgs {
    /// Whether the person at the terminal has to agree first. Where there is none, or a program reads the answer, that is an error.
    pub(crate) fn must_ask(&self, json: bool) -> Result<bool> {
        let must_ask = !self.yes && !self.preview;
        if must_ask && (json || !stdin().is_terminal()) {
            bail!("nobody can be asked here; --yes does it, --preview shows what it would do");
        }
        Ok(must_ask)
    }
}

/// The channel that is meant when none is named: the only one, or the only one with rules.
pub(crate) fn only_channel(status: &Status) -> Result<String> {
    match status.channels.as_slice() {
        [channel] => Ok(channel.name.clone()),
        channels => {
            // In the others there is nothing to be asked or told: they are only counted.
            let mut ruled = channels.iter().filter(|channel| channel.has_rules());
            if let (Some(channel), None) = (ruled.next(), ruled.next()) {
                return Ok(channel.name.clone());
            }
            let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
            bail!("heatd has several channels; say which with --channel: {}", names.join(", "))
        }
    }
}

/// The login of a channel, however it was typed.
pub(crate) fn channel_name(typed: &str) -> Result<String> {
    let name = typed.trim_start_matches('#').to_lowercase();
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if name.is_empty() || name.len() > 25 || !plain {
        bail!("{typed:?} is no channel; write the name at the end of the channel's address");
    }
    Ok(name)
}

/// What a command is about.
pub(crate) enum SlotChoice<'a> {
    /// The slot that was named.
    Slot(&'a str),
    /// The slot with the rule of this file.
    File(&'a str),
    /// The slot whose rule has all of these settings.
    Settings(Vec<&'a str>),
    /// The only slot with this trait, which is what the words say.
    Only(fn(&SlotEntry) -> bool, &'a str),
}

/// The one slot that is meant, among those of the channels in question.
pub(crate) fn choose<'a>(rules: &'a [SlotEntry], wanted: &SlotChoice<'_>) -> Result<&'a SlotEntry> {
    let mut meant: Vec<&SlotEntry> = rules.iter().filter(|rule| wanted.means(rule)).collect();
    // Of several slots with one rule, a file may still be named like one slot.
    if let (SlotChoice::File(stem), true) = (wanted, meant.len() > 1)
        && let [rule] =
            meant.iter().filter(|rule| is_like(stem, &rule.slot)).collect::<Vec<_>>()[..]
    {
        meant = vec![rule];
    }
    match (meant.as_slice(), wanted) {
        ([rule], _) => Ok(rule),
        ([], _) if rules.is_empty() => {
            bail!("heatd has no rules; each begins with a [[rule]] in heatd.toml")
        }
        ([], SlotChoice::Slot(slot)) => {
            bail!("there is no slot {slot:?}; there are {}", names(rules))
        }
        ([], SlotChoice::File(stem)) => {
            bail!(
                "no rule is named {stem:?} like the file; --slot names the one that it shall take the place of: {}. \
                 heat rules add gives it a slot of its own",
                names(rules)
            )
        }
        ([], SlotChoice::Settings(keys)) => bail!(
            "no rule has the setting {}; heat rules settings shows those of each: {}",
            keys.join(" and "),
            names(rules)
        ),
        ([], SlotChoice::Only(_, words)) => {
            bail!("no slot {words}; there are {}", names(rules))
        }
        (several, _) => {
            let mut channels: Vec<&str> =
                several.iter().map(|rule| rule.channel.as_str()).collect();
            channels.dedup();
            let flag = if channels.len() > 1 { "--channel" } else { "--slot" };
            let several: Vec<SlotEntry> = several.iter().map(|rule| (*rule).clone()).collect();
            bail!("several slots may be meant; say which with {flag}: {}", names(&several))
        }
    }
}

impl SlotChoice<'_> {
    fn means(&self, rule: &SlotEntry) -> bool {
        match self {
            Self::Slot(slot) => rule.slot == *slot,
            Self::File(stem) => is_like(stem, &rule.name) || is_like(stem, &rule.slot),
            Self::Settings(keys) => keys.iter().all(|key| {
                rule.settings.contains_key(*key) || rule.declared.iter().any(|it| it.name == *key)
            }),
            Self::Only(has, _) => has(rule),
        }
    }
}

/// Whether a file's name is that of a rule: song_faves, song-faves, and song-faves-1.3.0 are all of song-faves.
fn is_like(stem: &str, name: &str) -> bool {
    let stem = stem.to_lowercase().replace('_', "-");
    match stem.strip_prefix(&name.to_lowercase().replace('_', "-")) {
        Some("") => true,
        Some(rest) => rest
            .strip_prefix('-')
            .map(|rest| rest.trim_start_matches('v'))
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())),
        None => false,
    }
}

fn names(rules: &[SlotEntry]) -> String {
    let several = rules.iter().any(|rule| rule.channel != rules[0].channel);
    let name = |rule: &SlotEntry| {
        let channel = if several { format!("#{} ", rule.channel) } else { String::new() };
        format!("{channel}{} ({} {})", rule.slot, rule.name, rule.version)
    };
    rules.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api;

    fn rule(channel: &str, slot: &str, name: &str) -> SlotEntry {
        api::read(
            json!({
                "channel": channel, "slot": slot, "state": "live", "name": name, "version": "1.0.0",
                "digest": "00", "settings": { "half_life": "6s" },
            }),
            "a rule",
        )
        .unwrap()
    }

    fn slot(rules: &[SlotEntry], wanted: &SlotChoice<'_>) -> String {
        match choose(rules, wanted) {
            Ok(rule) => rule.slot.clone(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_file_finds_the_slot_of_its_rule() {
        let rules = [rule("seaside", "fave", "fave"), rule("seaside", "heat", "song-faves")];
        for stem in ["song-faves", "song_faves", "Song-Faves-1.3.0", "song_faves-v2", "heat"] {
            assert_eq!(slot(&rules, &SlotChoice::File(stem)), "heat", "{stem}");
        }
        let said = slot(&rules, &SlotChoice::File("song"));
        assert!(said.contains(": fave (fave 1.0.0), heat (song-faves 1.0.0)."), "{said}");
        assert!(said.contains("--slot") && said.contains("heat rules add"), "{said}");
    }

    #[test]
    fn several_are_named_with_what_tells_them_apart() {
        let rules = [rule("a", "decay", "decay"), rule("b", "decay", "decay")];
        let said = slot(&rules, &SlotChoice::Slot("decay"));
        assert!(said.contains("--channel: #a decay (decay 1.0.0), #b decay"), "{said}");
        let rules = [rule("a", "one", "decay"), rule("a", "two", "decay")];
        let said = slot(&rules, &SlotChoice::File("decay"));
        assert!(said.contains("--slot: one (decay 1.0.0), two"), "{said}");
        assert_eq!(slot(&rules, &SlotChoice::Slot("two")), "two");
    }

    #[test]
    fn settings_find_the_slot_that_has_them() {
        let mut rules = [rule("a", "decay", "decay"), rule("a", "fave", "fave")];
        rules[1].settings.clear();
        assert_eq!(slot(&rules, &SlotChoice::Settings(vec!["half_life"])), "decay");
        let said = slot(&rules, &SlotChoice::Settings(vec!["colour"]));
        assert!(said.contains("setting colour") && said.contains("fave (fave 1.0.0)"), "{said}");
    }

    #[test]
    fn a_channel_is_known_however_it_is_typed() {
        assert_eq!(channel_name("#Seaside").unwrap(), "seaside");
        for odd in ["", "#", "sea side", "sea/side", "a?b", "ü"] {
            assert!(channel_name(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn the_channel_that_is_meant_is_the_only_one_or_the_only_one_with_rules() {
        let channel = |name: &str, has_rules: bool| {
            let rule = json!({
                "slot": "decay", "name": "decay", "version": "1.0.0", "role": "formula", "digest": "0", "calls": 0, "failures": 0,
            });
            let rules = if has_rules { vec![rule] } else { Vec::new() };
            json!({ "name": name, "stream": { "state": "unknown", "since": null }, "outputs": {}, "rules": rules })
        };
        let meant = |channels: &[Value]| {
            let status = json!({
                "version": "0.1.0", "uptime_seconds": 0, "ready": true, "reasons": [],
                "connections": { "chat": { "wanted": 1, "up": 1 }, "mqtt": { "up": false } },
                "faves": 0, "chat_lines": 0, "duplicates": 0, "queue": 0, "store_bytes": 0, "channels": channels,
            });
            only_channel(&Status::read(status).unwrap()).map_err(|error| error.to_string())
        };
        let seaside = channel("seaside", true);
        assert_eq!(meant(std::slice::from_ref(&seaside)), Ok("seaside".to_owned()));
        assert_eq!(meant(&[channel("harbour", false), seaside.clone()]), Ok("seaside".to_owned()));
        let several = meant(&[channel("harbour", true), seaside]).unwrap_err();
        assert!(several.contains("--channel: harbour, seaside"), "{several}");
    }
}
