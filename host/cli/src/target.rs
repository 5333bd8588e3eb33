//! Which heatd, which channel and which slot a command is about, however little of it was said.

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::api::Api;
use crate::find::{Place, Surroundings};
use crate::status::Status;
use crate::stream::{channel_name, only_channel};

/// A heatd, and one of its channels.
#[derive(Args, Clone, Default)]
pub(crate) struct Channel {
    /// The channel; not needed when heatd has only one, or only one with rules.
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

impl Channel {
    pub(crate) fn api(&self) -> Result<Api> {
        Ok(Api::new(self.place.find(&Surroundings::of_this_process())?))
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

/// What heatd tells of a slot, as far as it is needed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rule {
    pub(crate) channel: String,
    pub(crate) slot: String,
    pub(crate) state: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) digest: String,
    pub(crate) since: Option<u64>,
    #[serde(default)]
    pub(crate) changed: bool,
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) settings: serde_json::Map<String, Value>,
    /// The names of those that are set, and have not their defaults.
    #[serde(default)]
    pub(crate) set: Vec<String>,
    /// What it says that it has.
    #[serde(default)]
    pub(crate) declared: Vec<Setting>,
    #[serde(default)]
    pub(crate) failures: u64,
    pub(crate) shadow: Option<Shadow>,
}

/// A setting that a rule declares.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Setting {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) default: Value,
    #[serde(default)]
    pub(crate) about: String,
}

/// What runs beside it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Shadow {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) digest: String,
    pub(crate) since: Option<u64>,
    pub(crate) events: Option<u64>,
    #[serde(default)]
    pub(crate) outputs: serde_json::Map<String, Value>,
}

/// Every slot of heatd, or of one channel.
pub(crate) fn rules(api: &Api, channel: Option<&str>) -> Result<Vec<Rule>> {
    #[derive(Deserialize)]
    struct Told {
        rules: Vec<Rule>,
    }
    let told: Told = read(api.ask("/rules", &[])?, "its rules")?;
    of_channel(told.rules, channel)
}

/// Those of one channel, or all. A channel that heatd does not know is said, with those that it knows.
fn of_channel(rules: Vec<Rule>, channel: Option<&str>) -> Result<Vec<Rule>> {
    let Some(channel) = channel else { return Ok(rules) };
    let (meant, others): (Vec<Rule>, Vec<Rule>) =
        rules.into_iter().partition(|rule| rule.channel == channel);
    if meant.is_empty() && !others.is_empty() {
        let mut known: Vec<String> =
            others.iter().map(|rule| format!("#{}", rule.channel)).collect();
        known.dedup();
        bail!("heatd has no rules in #{channel}; it has some in {}", known.join(", "));
    }
    Ok(meant)
}

impl Rule {
    /// The resource of its slot, or one below that.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("/channels/{}/rules/{}{below}", self.channel, segment(&self.slot))
    }
}

/// A name as one segment of a path.
fn segment(name: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    name.bytes().map(byte).collect()
}

/// What heatd tells, in the shape that is expected.
pub(crate) fn read<T: for<'a> Deserialize<'a>>(told: Value, what: &str) -> Result<T> {
    T::deserialize(told).with_context(|| {
        format!("heatd tells {what} in another way: heat and heatd are of different versions")
    })
}

/// What a command is about.
pub(crate) enum Wanted<'a> {
    /// The slot that was named.
    Slot(&'a str),
    /// The slot with the rule of this file.
    File(&'a str),
    /// The slot whose rule has all of these settings.
    Settings(Vec<&'a str>),
    /// The only slot with this trait, which is what the words say.
    Only(fn(&Rule) -> bool, &'a str),
}

/// The one slot that is meant, among those of the channels in question.
pub(crate) fn choose<'a>(rules: &'a [Rule], wanted: &Wanted<'_>) -> Result<&'a Rule> {
    let mut meant: Vec<&Rule> = rules.iter().filter(|rule| wanted.means(rule)).collect();
    // Of several slots with one rule, a file may still be named like one slot.
    if let (Wanted::File(stem), true) = (wanted, meant.len() > 1)
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
        ([], Wanted::Slot(slot)) => bail!("there is no slot {slot:?}; there are {}", names(rules)),
        ([], Wanted::File(stem)) => {
            bail!(
                "no rule is named {stem:?} like the file; --slot names the one that it shall take the place of: {}. \
                 A slot of its own begins with a [[rule]] in heatd.toml",
                names(rules)
            )
        }
        ([], Wanted::Settings(keys)) => bail!(
            "no rule has the setting {}; heat rules settings shows those of each: {}",
            keys.join(" and "),
            names(rules)
        ),
        ([], Wanted::Only(_, words)) => {
            bail!("no slot {words}; there are {}", names(rules))
        }
        (several, _) => {
            let mut channels: Vec<&str> =
                several.iter().map(|rule| rule.channel.as_str()).collect();
            channels.dedup();
            let flag = if channels.len() > 1 { "--channel" } else { "--slot" };
            let several: Vec<Rule> = several.iter().map(|rule| (*rule).clone()).collect();
            bail!("several slots may be meant; say which with {flag}: {}", names(&several))
        }
    }
}

impl Wanted<'_> {
    fn means(&self, rule: &Rule) -> bool {
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

fn names(rules: &[Rule]) -> String {
    let several = rules.iter().any(|rule| rule.channel != rules[0].channel);
    let name = |rule: &Rule| {
        let channel = if several { format!("#{} ", rule.channel) } else { String::new() };
        format!("{channel}{} ({} {})", rule.slot, rule.name, rule.version)
    };
    rules.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(channel: &str, slot: &str, name: &str) -> Rule {
        read(
            serde_json::json!({
                "channel": channel, "slot": slot, "state": "live", "name": name, "version": "1.0.0",
                "digest": "00", "settings": { "half_life": "6s" },
            }),
            "a rule",
        )
        .unwrap()
    }

    fn slot(rules: &[Rule], wanted: &Wanted<'_>) -> String {
        match choose(rules, wanted) {
            Ok(rule) => rule.slot.clone(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_file_finds_the_slot_of_its_rule() {
        let rules = [rule("seaside", "fave", "fave"), rule("seaside", "heat", "song-faves")];
        for stem in ["song-faves", "song_faves", "Song-Faves-1.3.0", "song_faves-v2", "heat"] {
            assert_eq!(slot(&rules, &Wanted::File(stem)), "heat", "{stem}");
        }
        let said = slot(&rules, &Wanted::File("song"));
        assert!(said.contains(": fave (fave 1.0.0), heat (song-faves 1.0.0)."), "{said}");
        assert!(said.contains("--slot") && said.contains("heatd.toml"), "{said}");
    }

    #[test]
    fn a_channel_that_heatd_does_not_know_is_said() {
        let rules = vec![rule("seaside", "fave", "fave"), rule("seaside", "heat", "decay")];
        assert_eq!(of_channel(rules.clone(), None).unwrap().len(), 2);
        assert_eq!(of_channel(rules.clone(), Some("seaside")).unwrap().len(), 2);
        let said = of_channel(rules, Some("harbour")).unwrap_err().to_string();
        assert_eq!(said, "heatd has no rules in #harbour; it has some in #seaside");
        assert!(of_channel(Vec::new(), Some("harbour")).unwrap().is_empty());
    }

    #[test]
    fn a_slot_may_have_any_name() {
        assert_eq!(
            rule("sea", "my heat/2", "x").path("/drop"),
            "/channels/sea/rules/my%20heat%2F2/drop"
        );
    }

    #[test]
    fn several_are_named_with_what_tells_them_apart() {
        let rules = [rule("a", "decay", "decay"), rule("b", "decay", "decay")];
        let said = slot(&rules, &Wanted::Slot("decay"));
        assert!(said.contains("--channel: #a decay (decay 1.0.0), #b decay"), "{said}");
        let rules = [rule("a", "one", "decay"), rule("a", "two", "decay")];
        let said = slot(&rules, &Wanted::File("decay"));
        assert!(said.contains("--slot: one (decay 1.0.0), two"), "{said}");
        assert_eq!(slot(&rules, &Wanted::Slot("two")), "two");
    }

    #[test]
    fn settings_find_the_slot_that_has_them() {
        let mut rules = [rule("a", "decay", "decay"), rule("a", "fave", "fave")];
        rules[1].settings.clear();
        assert_eq!(slot(&rules, &Wanted::Settings(vec!["half_life"])), "decay");
        let said = slot(&rules, &Wanted::Settings(vec!["colour"]));
        assert!(said.contains("setting colour") && said.contains("fave (fave 1.0.0)"), "{said}");
    }
}
