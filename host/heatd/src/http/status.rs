//! `GET /api/v1/status`: how heatd does, on one page.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use heat_engine::state_name;
use serde_json::{Value, json};

use super::{Api, public};
use crate::clock::now;
use crate::data::role::Role;
use crate::data::tokens::Caller;
use crate::view::feed::is_of_rule;
use crate::view::registry::ChannelEntry;

pub(super) async fn answer(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> impl IntoResponse {
    let figures = api.metrics.summary();
    let reasons = api.metrics.health().not_ready(Instant::now());
    let channels: Vec<Value> =
        api.registry.channels().iter().map(|listed| channel(&api, listed)).collect();
    let backup = api.backups.known();
    let page = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": api.started.elapsed().as_secs(),
        "ready": reasons.is_empty(),
        "reasons": reasons,
        "connections": {
            "chat": { "wanted": figures.chat_desired, "up": figures.chat_up },
            "mqtt": { "up": figures.mqtt_up },
        },
        "faves": api.registry.faves(),
        "chat_lines": figures.chat_lines,
        "duplicates": figures.duplicates,
        "queue": api.queue().0,
        "channels": channels,
        "store_bytes": api.store_bytes(),
        "backup": {
            "at": backup.last.as_ref().map(|last| last.at),
            "file": backup.last.map(|last| last.file.display().to_string()),
            "problem": backup.problem,
        },
    });
    let page = if caller.role == Role::Viewer { public::status(page) } else { page };
    ([(header::CONTENT_TYPE, "application/json")], page.to_string())
}

fn channel(api: &Api, listed: &ChannelEntry) -> Value {
    let outputs = api.outputs.borrow();
    let shown: BTreeMap<&str, &str> = outputs
        .iter()
        .filter(|((channel, name), _)| *channel == listed.channel && is_of_rule(name))
        .filter_map(|((_, name), text)| Some((name.as_str(), text.as_deref()?)))
        .collect();
    let stream = api.states.borrow().get(&listed.channel).copied();
    let standings = api.registry.standings();
    let rules = standings.iter().filter(|it| it.channel == *listed.channel).map(|standing| {
        let mut rule = serde_json::to_value(standing).unwrap_or_default();
        if let Some(counts) = listed.counts(&standing.slot) {
            rule["calls"] = Value::from(counts.figures.calls.get());
            rule["failures"] = Value::from(counts.figures.failures.get());
        }
        rule
    });
    let (gaps, away) = api.registry.gaps.of(&listed.channel, now());
    json!({
        "name": &*listed.channel,
        "gaps": { "count": gaps, "seconds": away.as_secs() },
        "stream": { "state": state_name(stream.as_ref()), "since": stream.map(|stream| stream.since) },
        "outputs": shown,
        "rules": rules.collect::<Vec<_>>(),
    })
}
