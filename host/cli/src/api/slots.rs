//! `GET /rules`: every slot, with the rule in it.

use anyhow::{Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::client::Api;
use super::read;

/// What heatd tells of a slot, as far as it is needed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SlotEntry {
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
pub(crate) fn rules(api: &Api, channel: Option<&str>) -> Result<Vec<SlotEntry>> {
    #[derive(Deserialize)]
    struct RuleList {
        rules: Vec<SlotEntry>,
    }
    let told: RuleList = read(api.get("/rules", &[])?, "its rules")?;
    of_channel(told.rules, channel)
}

/// Those of one channel, or all. A channel that heatd does not know is said, with those that it knows.
fn of_channel(rules: Vec<SlotEntry>, channel: Option<&str>) -> Result<Vec<SlotEntry>> {
    let Some(channel) = channel else { return Ok(rules) };
    let (meant, others): (Vec<SlotEntry>, Vec<SlotEntry>) =
        rules.into_iter().partition(|rule| rule.channel == channel);
    if meant.is_empty() && !others.is_empty() {
        let mut known: Vec<String> =
            others.iter().map(|rule| format!("#{}", rule.channel)).collect();
        known.dedup();
        bail!("heatd has no rules in #{channel}; it has some in {}", known.join(", "));
    }
    Ok(meant)
}

impl SlotEntry {
    /// The resource of its slot, or one below that.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("/channels/{}/rules/{}{below}", self.channel, segment(&self.slot))
    }
}

/// A name as one segment of a path.
pub(crate) fn segment(name: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    name.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(channel: &str, slot: &str, name: &str) -> SlotEntry {
        read(
            serde_json::json!({
                "channel": channel, "slot": slot, "state": "live", "name": name, "version": "1.0.0",
                "digest": "00", "settings": { "half_life": "6s" },
            }),
            "a rule",
        )
        .unwrap()
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
}
