//! What runs beside what the configuration says.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use heat_engine::{Given, Limits, Rule, SlotStatus};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::Api;
use super::problem::Problem;
use super::steps::at_once;
use crate::control::chains::Configured;
use crate::control::{Refusal, as_toml, quoted};

/// `GET /config/diff`
pub(super) async fn diff(State(api): State<Arc<Api>>) -> Result<Response, Problem> {
    let live = api.live.clone();
    at_once(move || {
        let slots = live.ask("rules.list", |desk| Ok(desk.engine.slot_statuses_with_rules()))?;
        let mut differences = members(&api);
        for (standing, rule) in &slots {
            if let Some(configured) = api.live.configured.find(&standing.channel, &standing.slot) {
                differences.extend(differ(standing, rule, &configured));
            }
        }
        Ok(json!({ "differences": differences }))
    })
    .await
}

/// Channels that were added or removed while running.
fn members(api: &Api) -> Vec<Value> {
    let differs = |channel: &str, configured: Value, live: &str| json!({ "channel": channel, "slot": "", "what": "channel", "configured": configured, "live": live });
    let here = api.roster.names();
    let added = here.iter().filter(|name| !api.channels.is_configured(name));
    let added = added.map(|name| differs(name, Value::from("not there"), "added"));
    let configured = api.channels.configured().iter();
    let removed = configured.filter(|name| here.iter().all(|it| **it != ***name));
    added.chain(removed.map(|name| differs(name, Value::from("there"), "removed"))).collect()
}

fn differ(standing: &SlotStatus, live: &Rule, configured: &Configured) -> Vec<Value> {
    let mut found = Vec::new();
    let mut note = |what: &str, before: Value, now: Value| {
        let (channel, slot) = (&standing.channel, &standing.slot);
        found.push(json!({ "channel": channel, "slot": slot, "what": what, "configured": before, "live": now }));
    };
    let said = &configured.rule;
    if said.digest() != live.digest() {
        let name = |rule: &Rule| {
            let it = rule.description();
            Value::from(format!("{} {} ({:.12})", it.name, it.version, rule.digest().to_string()))
        };
        note("component", name(said), name(live));
    }
    let value = |rule: &Rule, name: &str| {
        let given = rule.given().iter().find(|(known, _)| known == name);
        given.map_or(Value::Null, |(_, given)| Value::from(as_toml(given)))
    };
    let names: std::collections::BTreeSet<&String> =
        said.given().iter().chain(live.given()).map(|(name, _)| name).collect();
    for name in names {
        let (before, now) = (value(said, name), value(live, name));
        if before != now {
            note(name, before, now);
        }
    }
    if !matches!(standing.state, "live" | "probation") {
        note("state", Value::from("on"), Value::from(standing.state));
    }
    found
}

/// `GET /config/export`
pub(super) async fn export(State(api): State<Arc<Api>>) -> Result<Response, Problem> {
    let live = api.live.clone();
    let slots = spawn_blocking(move || {
        live.ask("rules.list", |desk| Ok(desk.engine.slot_statuses_with_rules()))
    });
    let slots = slots.await.unwrap_or(Err(Refusal::Gone))?;
    let mut text = String::from(
        "# What runs now. A [[rule]] that runs otherwise in one channel stands here once for each.\n",
    );
    if !members(&api).is_empty() {
        let names = api.roster.names().iter().map(|it| Given::Text(it.to_string())).collect();
        let _ = writeln!(text, "\n# In [twitch]:\n# channels = {}", as_toml(&Given::List(names)));
    }
    // Slot, its table, and the channels in which it runs so.
    let mut told: Vec<(String, String, Vec<String>)> = Vec::new();
    for (standing, rule) in &slots {
        let Some(configured) = api.live.configured.find(&standing.channel, &standing.slot) else {
            continue;
        };
        let body = table(standing, rule, &configured);
        match told.iter_mut().find(|it| it.0 == standing.slot && it.1 == body) {
            Some((.., channels)) => channels.push(standing.channel.clone()),
            None => told.push((standing.slot.clone(), body, vec![standing.channel.clone()])),
        }
    }
    for (slot, body, channels) in &told {
        let _ = writeln!(text, "\n[[rule]]\nslot = {}", quoted(slot));
        if channels.len() < api.roster.names().len() {
            let channels = channels.iter().cloned().map(Given::Text).collect();
            let _ = writeln!(text, "channels = {}", as_toml(&Given::List(channels)));
        }
        text.push_str(body);
    }
    Ok(([(header::CONTENT_TYPE, "application/toml")], text).into_response())
}

fn table(standing: &SlotStatus, rule: &Rule, configured: &Configured) -> String {
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = writeln!(text, "file = {}", quoted(&configured.file.display().to_string()));
    if rule.digest() != configured.rule.digest() {
        let name = &rule.description().name;
        let _ = writeln!(
            text,
            "# live is another component, {name} with the SHA-256 {}",
            rule.digest()
        );
    }
    if !matches!(standing.state, "live" | "probation") {
        let _ = writeln!(text, "# it is {}", standing.state);
    }
    let publish = &rule.limits().publish;
    if !publish.is_empty() {
        let topics = publish.iter().cloned().map(Given::Text).collect();
        let _ = writeln!(text, "publish = {}", as_toml(&Given::List(topics)));
    }
    if rule.is_pinned() {
        text.push_str("source = \"file\"\n");
    }
    let memory = rule.limits().memory;
    if memory != Limits::default().memory {
        let _ = writeln!(text, "memory = \"{} KiB\"", memory >> 10);
    }
    if !rule.given().is_empty() {
        text.push_str("[rule.settings]\n");
        for (name, given) in rule.given() {
            let _ = writeln!(text, "{name} = {}", as_toml(given));
        }
    }
    text
}
