//! `GET /status`: how heatd does, on one page.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::State;
use axum::response::IntoResponse;
use heat_engine::SlotStatus;
use serde::Serialize;

use crate::clock::now;
use crate::data::role::Role;
use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::answer::JsonAnswer;
use crate::http::form::redact;
use crate::http::resources::channels::StreamRow;
use crate::metrics::Sighting;
use crate::view::feed::is_of_rule;
use crate::view::registry::ChannelEntry;

#[derive(Serialize)]
struct StatusPage {
    version: &'static str,
    uptime_seconds: u64,
    ready: bool,
    /// Why it is not ready.
    reasons: Vec<String>,
    connections: ConnectionStatus,
    /// Faves since the start.
    faves: u64,
    chat_lines: u64,
    duplicates: u64,
    /// How many events wait for the engine.
    queue: usize,
    channels: Vec<ChannelStatus>,
    store_bytes: u64,
    backup: BackupRow,
    /// What other services said that heatd does not know. Empty for viewers: the examples are lines of chat.
    unrecognized: Vec<Sighting>,
}

#[derive(Serialize)]
struct ConnectionStatus {
    chat: ChatStatus,
    mqtt: MqttStatus,
}

#[derive(Serialize)]
struct ChatStatus {
    wanted: i64,
    up: i64,
}

#[derive(Serialize)]
struct MqttStatus {
    up: bool,
}

#[derive(Serialize)]
struct ChannelStatus {
    name: String,
    gaps: GapStatus,
    stream: StreamRow,
    /// Texts by the names of outputs.
    outputs: BTreeMap<String, String>,
    rules: Vec<RuleStatus>,
}

/// How often and how long chat was away within a day.
#[derive(Serialize)]
struct GapStatus {
    count: usize,
    seconds: u64,
}

#[derive(Serialize)]
struct RuleStatus {
    #[serde(flatten)]
    standing: SlotStatus,
    #[serde(flatten)]
    calls: Option<CallCounts>,
}

#[derive(Serialize)]
struct CallCounts {
    calls: u64,
    failures: u64,
}

#[derive(Serialize)]
struct BackupRow {
    at: Option<u64>,
    file: Option<String>,
    /// Why the last try failed, until one succeeds.
    problem: Option<String>,
}

/// `GET /status`
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> impl IntoResponse {
    let mut page = page(&api);
    if caller.role == Role::Viewer {
        page.redact();
    }
    JsonAnswer(page)
}

fn page(api: &Api) -> StatusPage {
    let figures = api.metrics.summary();
    let reasons = api.metrics.health().not_ready(Instant::now());
    let backup = api.backups.known();
    StatusPage {
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: api.started.elapsed().as_secs(),
        ready: reasons.is_empty(),
        reasons,
        connections: ConnectionStatus {
            chat: ChatStatus { wanted: figures.chat_desired, up: figures.chat_up },
            mqtt: MqttStatus { up: figures.mqtt_up },
        },
        faves: api.registry.faves(),
        chat_lines: figures.chat_lines,
        duplicates: figures.duplicates,
        queue: api.queue().0,
        channels: api.registry.channels().iter().map(|listed| channel(api, listed)).collect(),
        store_bytes: api.store_bytes(),
        backup: BackupRow {
            at: backup.last.as_ref().map(|last| last.at),
            file: backup.last.map(|last| last.file.display().to_string()),
            problem: backup.problem,
        },
        unrecognized: api.metrics.unrecognized().list(),
    }
}

fn channel(api: &Api, listed: &ChannelEntry) -> ChannelStatus {
    let outputs = api.outputs.borrow();
    let shown = outputs
        .iter()
        .filter(|((channel, name), _)| *channel == listed.channel && is_of_rule(name))
        .filter_map(|((_, name), text)| Some((name.clone(), text.clone()?)));
    let standings = api.registry.standings();
    let rules = standings.iter().filter(|it| it.channel == *listed.channel).map(|standing| {
        let calls = listed.counts(&standing.slot).map(|counts| CallCounts {
            calls: counts.figures.calls.get(),
            failures: counts.figures.failures.get(),
        });
        RuleStatus { standing: standing.clone(), calls }
    });
    let (count, away) = api.registry.gaps.of(&listed.channel, now());
    ChannelStatus {
        name: listed.channel.to_string(),
        gaps: GapStatus { count, seconds: away.as_secs() },
        stream: StreamRow::of(api.states.borrow().get(&listed.channel)),
        outputs: shown.collect(),
        rules: rules.collect(),
    }
}

impl StatusPage {
    /// Leaves what a viewer may see.
    fn redact(&mut self) {
        self.unrecognized.clear();
        for channel in &mut self.channels {
            redact::outputs(&mut channel.outputs);
            for rule in &mut channel.rules {
                redact::reason(&mut rule.standing.reason);
            }
        }
    }
}
