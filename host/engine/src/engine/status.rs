//! How each slot stands, for whoever runs it: shown as an output beside those of the rules, and listed.

use std::sync::Arc;

use serde::Serialize;

use crate::chain::Channel;
use crate::chain::slot::Slot;
use crate::chain::stream::HOST;
use crate::contract::effects::role_name;
use crate::engine::Engine;
use crate::guest::rule::Rule;
use crate::store::changes::Status;

/// How a slot stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlotStatus {
    /// Login of the channel.
    #[serde(skip)]
    pub channel: String,
    /// Name of the slot.
    pub slot: String,
    /// `live`, `probation`, `disabled` or `quarantined`.
    pub state: &'static str,
    /// Name of the rule.
    pub name: String,
    /// Its version, for people.
    pub version: String,
    /// Its role.
    pub role: &'static str,
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// Since when it stands so, in milliseconds since 1970.
    pub since: u64,
    /// Whether it runs by a change made while running, and not by the configuration.
    pub changed: bool,
    /// Whether the slot itself was added while running, and the configuration does not have it.
    pub added: bool,
    /// Why it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl SlotStatus {
    fn of(slot: &Slot) -> Self {
        let (state, reason) = match (&slot.breaker.status, &slot.breaker.probation) {
            (Status::On, None) => ("live", None),
            (Status::On, Some(_)) => ("probation", None),
            (Status::Disabled, _) => ("disabled", None),
            (Status::Quarantined(why), _) => ("quarantined", Some(why.clone())),
        };
        let description = slot.rule.description();
        Self {
            channel: slot.key.channel.to_string(),
            slot: slot.key.slot.to_string(),
            state,
            name: description.name.clone(),
            version: description.version.clone(),
            role: role_name(description.role),
            digest: slot.rule.digest().to_string(),
            since: slot.breaker.since,
            changed: slot.is_changed(),
            added: slot.added.is_some(),
            reason,
        }
    }

    /// The output that shows it.
    pub(crate) fn output(&self) -> String {
        Self::output_of(&self.slot)
    }

    /// The output that shows how a slot stands.
    pub(crate) fn output_of(slot: &str) -> String {
        format!("rules/{slot}")
    }

    /// As a JSON object.
    pub(crate) fn text(&self) -> String {
        // Texts, numbers and a boolean always become JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Engine {
    /// How every slot of every channel stands, in the order of the chains.
    pub fn slot_statuses(&self) -> Vec<SlotStatus> {
        let of = |channel: &Channel| channel.slots.iter().map(SlotStatus::of).collect::<Vec<_>>();
        self.channels.values().flat_map(of).collect()
    }

    /// The same, each with its rule.
    pub fn slot_statuses_with_rules(&self) -> Vec<(SlotStatus, Rule)> {
        let of = |channel: &Channel| {
            let slots = channel.slots.iter();
            slots.map(|slot| (SlotStatus::of(slot), slot.rule.clone())).collect::<Vec<_>>()
        };
        self.channels.values().flat_map(of).collect()
    }

    /// Shows how a slot stands now.
    pub(crate) fn show_slot_status(&mut self, channel: &Arc<str>, slot: &str) {
        let Some(found) = self.slot(channel, slot) else { return };
        let status = SlotStatus::of(found);
        self.slot_changes += 1;
        let text = Some(status.text());
        self.pending.overlay().show(channel, status.output(), HOST.into(), text);
    }

    /// How often a slot was changed since the start. When the number has grown, a copy of the statuses is out of date.
    pub fn slot_changes(&self) -> u64 {
        self.slot_changes
    }
}
