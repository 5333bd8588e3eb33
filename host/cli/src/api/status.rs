//! `GET /status`: how heatd does.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;

use super::read;

/// What heatd tells, as far as it is shown.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) version: String,
    pub(crate) uptime_seconds: u64,
    pub(crate) reasons: Vec<String>,
    pub(crate) connections: Connections,
    pub(crate) faves: u64,
    pub(crate) chat_lines: u64,
    pub(crate) duplicates: u64,
    pub(crate) queue: u64,
    pub(crate) channels: Vec<ChannelStatus>,
    pub(crate) store_bytes: u64,
    #[serde(default)]
    pub(crate) backup: BackupStatus,
    /// What other services said that heatd does not know. A heatd of before says nothing of it.
    #[serde(default)]
    pub(crate) unrecognized: Vec<Sighting>,
}

/// One kind of message that heatd did not understand.
#[derive(Debug, Deserialize)]
pub(crate) struct Sighting {
    pub(crate) interface: String,
    pub(crate) what: String,
    pub(crate) example: String,
    pub(crate) count: u64,
}

/// How backups stand; a heatd of before says nothing of them.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct BackupStatus {
    pub(crate) at: Option<u64>,
    pub(crate) file: Option<String>,
    pub(crate) problem: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Connections {
    pub(crate) chat: ChatConnections,
    pub(crate) mqtt: MqttConnection,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ChatConnections {
    pub(crate) wanted: u64,
    pub(crate) up: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MqttConnection {
    pub(crate) up: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ChannelStatus {
    pub(crate) name: String,
    pub(crate) stream: StreamStatus,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) rules: Vec<RuleStatus>,
    /// A heatd of before tells nothing of them.
    #[serde(default)]
    pub(crate) gaps: Gaps,
}

impl Status {
    pub(crate) fn read(answer: Value) -> Result<Self> {
        read(answer, "its status")
    }
}

impl ChannelStatus {
    pub(crate) fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }
}

/// When chat was not heard within the last day.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Gaps {
    pub(crate) count: u64,
    pub(crate) seconds: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StreamStatus {
    pub(crate) state: String,
    pub(crate) since: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RuleStatus {
    pub(crate) slot: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) role: String,
    pub(crate) digest: String,
    pub(crate) calls: u64,
    pub(crate) failures: u64,
}
