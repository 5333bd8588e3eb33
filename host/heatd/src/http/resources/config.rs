//! The configuration and what runs: `GET /config/diff` compares them, `GET /config/export` writes what runs as configuration.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use heat_engine::{Given, Limits, Rule, SlotStatus};
use serde::Serialize;

use crate::control::chains::Configured;
use crate::control::{as_toml, quoted};
use crate::http::api::Api;
use crate::http::form::ndjson::{at_once, blocking};
use crate::http::form::problem::Problem;
use crate::http::guard::limits::Place;

#[derive(Serialize)]
struct DifferencePage {
    differences: Vec<Difference>,
}

/// A difference between the configuration and what runs.
#[derive(Serialize)]
struct Difference {
    channel: String,
    /// Empty where the channel itself differs.
    slot: String,
    /// `channel`, `rule`, `component`, `state`, or the name of a setting.
    what: String,
    configured: Option<String>,
    live: Option<String>,
}

/// `GET /config/diff`
pub(crate) async fn diff(
    State(api): State<Arc<Api>>,
    place: Place,
) -> Result<impl IntoResponse, Problem> {
    at_once(place, move || {
        let slots = api.live.on_engine_thread("rules.list", |access| {
            Ok(access.engine.slot_statuses_with_rules())
        })?;
        let mut differences = members(&api);
        for (standing, rule) in &slots {
            match api.live.configured.find(&standing.channel, &standing.slot) {
                Some(configured) => differences.extend(differ(standing, rule, &configured)),
                None => differences.push(added(standing, rule)),
            }
        }
        Ok(DifferencePage { differences })
    })
    .await
}

/// Channels that were added or removed while running.
fn members(api: &Api) -> Vec<Difference> {
    let differs = |channel: &str, configured: &str, live: &str| Difference {
        channel: channel.to_owned(),
        slot: String::new(),
        what: "channel".to_owned(),
        configured: Some(configured.to_owned()),
        live: Some(live.to_owned()),
    };
    let here = api.registry.names();
    let added = here.iter().filter(|name| !api.channels.is_configured(name));
    let added = added.map(|name| differs(name, "not there", "added"));
    let configured = api.channels.configured().iter();
    let removed = configured.filter(|name| here.iter().all(|it| **it != ***name));
    added.chain(removed.map(|name| differs(name, "there", "removed"))).collect()
}

/// A rule that was added while running.
fn added(standing: &SlotStatus, rule: &Rule) -> Difference {
    Difference {
        channel: standing.channel.clone(),
        slot: standing.slot.clone(),
        what: "rule".to_owned(),
        configured: Some("not there".to_owned()),
        live: Some(format!("added: {}", named(rule))),
    }
}

fn named(rule: &Rule) -> String {
    let it = rule.description();
    format!("{} {} ({:.12})", it.name, it.version, rule.digest().to_string())
}

fn differ(standing: &SlotStatus, live: &Rule, configured: &Configured) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut note = |what: &str, configured: Option<String>, live: Option<String>| {
        let (channel, slot) = (standing.channel.clone(), standing.slot.clone());
        found.push(Difference { channel, slot, what: what.to_owned(), configured, live });
    };
    let said = &configured.rule;
    if said.digest() != live.digest() {
        note("component", Some(named(said)), Some(named(live)));
    }
    let value = |rule: &Rule, name: &str| {
        let given = rule.given().iter().find(|(known, _)| known == name);
        given.map(|(_, given)| as_toml(given))
    };
    let names: BTreeSet<&String> =
        said.given().iter().chain(live.given()).map(|(name, _)| name).collect();
    for name in names {
        let (before, now) = (value(said, name), value(live, name));
        if before != now {
            note(name, before, now);
        }
    }
    if !is_on(standing) {
        note("state", Some("on".to_owned()), Some(standing.state.to_owned()));
    }
    found
}

fn is_on(standing: &SlotStatus) -> bool {
    matches!(standing.state, "live" | "probation")
}

/// `GET /config/export`
pub(crate) async fn export(
    State(api): State<Arc<Api>>,
    place: Place,
) -> Result<impl IntoResponse, Problem> {
    let live = api.live.clone();
    let asked = move || {
        live.on_engine_thread("rules.list", |access| Ok(access.engine.slot_statuses_with_rules()))
    };
    let text = as_tables(&api, &blocking(place, asked).await?);
    Ok(([(header::CONTENT_TYPE, "application/toml")], text))
}

/// The `[[rule]]` tables of what runs.
fn as_tables(api: &Api, slots: &[(SlotStatus, Rule)]) -> String {
    let mut text = String::from(
        "# What runs now. A [[rule]] that runs otherwise in one channel stands here once for each.\n",
    );
    if !members(api).is_empty() {
        let names = api.registry.names().iter().map(|it| Given::Text(it.to_string())).collect();
        let _ = writeln!(text, "\n# In [twitch]:\n# channels = {}", as_toml(&Given::List(names)));
    }
    // Slot, table, and the channels that have this table in this slot.
    let mut told: Vec<(String, String, Vec<String>)> = Vec::new();
    for (standing, rule) in slots {
        let configured = api.live.configured.find(&standing.channel, &standing.slot);
        let body = table(standing, rule, configured.as_ref());
        match told.iter_mut().find(|it| it.0 == standing.slot && it.1 == body) {
            Some((.., channels)) => channels.push(standing.channel.clone()),
            None => told.push((standing.slot.clone(), body, vec![standing.channel.clone()])),
        }
    }
    for (slot, body, channels) in &told {
        let _ = writeln!(text, "\n[[rule]]\nslot = {}", quoted(slot));
        if channels.len() < api.registry.names().len() {
            let channels = channels.iter().cloned().map(Given::Text).collect();
            let _ = writeln!(text, "channels = {}", as_toml(&Given::List(channels)));
        }
        text.push_str(body);
    }
    text
}

/// The lines of a table below its slot. None: the rule was added while running, and no file is known of it.
fn table(standing: &SlotStatus, rule: &Rule, configured: Option<&Configured>) -> String {
    let mut text = String::new();
    // heatd's own path leads from where it was started, which the configuration knows nothing of.
    let file = configured.map(|it| it.written.clone());
    let file = file.unwrap_or_else(|| format!("rules/{}.wasm", standing.slot));
    // Writing into a string does not fail.
    let _ = writeln!(text, "file = {}", quoted(&file));
    let (name, digest) = (&rule.description().name, rule.digest());
    match configured {
        Some(configured) if configured.rule.digest() == digest => {}
        Some(_) => {
            let _ = writeln!(text, "# live is another component, {name} with the SHA-256 {digest}");
        }
        None => {
            let _ = writeln!(
                text,
                "# it was added while heatd ran: put {name} with the SHA-256 {digest} there"
            );
        }
    }
    if !is_on(standing) {
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
