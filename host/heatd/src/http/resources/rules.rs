//! The slots: what runs in them (`GET /rules`), and every change of it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use heat_engine::{Limits, Rule, SlotStatus};
use serde::Serialize;

use crate::control::{DeployRequest, Edit, NewRule, RuleSource, ShadowStatus};
use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::body::{JsonBody, RawBody, settings as settings_of, source};
use crate::http::form::ndjson::{at_once, stepwise};
use crate::http::form::problem::Problem;
use crate::http::form::query::{Query, wrong};
use crate::http::form::settings_schema::SlotSettings;
use crate::http::guard::limits::Place;
use crate::http::path::{ChannelPath, SlotPath};

#[derive(Serialize)]
struct RulePage {
    rules: Vec<RuleRow>,
}

/// A slot, and what runs in it.
#[derive(Serialize)]
struct RuleRow {
    channel: String,
    #[serde(flatten)]
    standing: SlotStatus,
    #[serde(flatten)]
    costs: Option<CallCosts>,
    /// The rule that runs beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<ShadowStatus>,
    #[serde(flatten)]
    settings: SlotSettings,
}

/// The calls since the start, and their cost.
#[derive(Serialize)]
struct CallCosts {
    calls: u64,
    failures: u64,
    fuel: u64,
    /// The most fuel of one call.
    fuel_limit: u64,
}

/// `GET /rules`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    place: Place,
) -> Result<impl IntoResponse, Problem> {
    at_once(place, move || {
        let slots = api.live.on_engine_thread("rules.list", |access| {
            Ok(access.engine.slot_statuses_with_rules())
        })?;
        let rules = slots.into_iter().map(|(standing, rule)| row(&api, standing, &rule));
        Ok(RulePage { rules: rules.collect() })
    })
    .await
}

fn row(api: &Api, standing: SlotStatus, rule: &Rule) -> RuleRow {
    let listed = api.registry.find(&standing.channel);
    let counts = listed.as_ref().and_then(|listed| listed.counts(&standing.slot));
    let costs = counts.map(|counts| CallCosts {
        calls: counts.figures.calls.get(),
        failures: counts.figures.failures.get(),
        fuel: counts.figures.fuel.get(),
        fuel_limit: Limits::default().fuel,
    });
    let shadow = api.live.shadows.told(&standing.channel, &standing.slot);
    let (channel, settings) = (standing.channel.clone(), SlotSettings::of(rule));
    RuleRow { channel, standing, costs, shadow, settings }
}

/// `POST /channels/{channel}/rules`
pub(crate) async fn add(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    ChannelPath(channel): ChannelPath,
    mut query: Query,
    RawBody(component): RawBody,
) -> Result<Response, Problem> {
    let missing = || wrong("slot", "name the slot that the rule gets");
    let slot = query.one("slot")?.ok_or_else(missing)?;
    let after = query.one("after")?;
    let settings = settings_of(&mut query)?.unwrap_or_default();
    query.end()?;
    let component = Arc::from(&component[..]);
    let wanted = NewRule { channel, slot, after, component, settings, by: caller.name };
    Ok(stepwise(place, move |progress| api.channels.add_rule(&wanted, progress)))
}

/// `DELETE /channels/{channel}/rules/{slot}`
pub(crate) async fn remove(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    SlotPath { channel, slot }: SlotPath,
) -> Result<impl IntoResponse, Problem> {
    at_once(place, move || api.channels.remove_rule(&channel, &slot, &caller.name)).await
}

/// The requested change of a slot.
fn wanted(path: SlotPath, source: RuleSource, caller: Caller) -> DeployRequest {
    DeployRequest { channel: path.channel, slot: path.slot, source, by: caller.name }
}

/// `PUT /channels/{channel}/rules/{slot}`
pub(crate) async fn deploy(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    path: SlotPath,
    mut query: Query,
    RawBody(component): RawBody,
) -> Result<Response, Problem> {
    let settings = settings_of(&mut query)?.unwrap_or_default();
    query.end()?;
    let source = RuleSource::Component(Arc::from(&component[..]), settings);
    let wanted = wanted(path, source, caller);
    let live = api.live.clone();
    Ok(stepwise(place, move |progress| live.deploy(&wanted, progress)))
}

/// `POST /channels/{channel}/rules/{slot}/settings`
pub(crate) async fn settings(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    path: SlotPath,
    JsonBody(edit): JsonBody<Edit>,
) -> Result<Response, Problem> {
    if edit.is_empty() {
        let detail = "say what to `set` or to `unset`";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let wanted = wanted(path, RuleSource::Settings(edit), caller);
    let live = api.live.clone();
    Ok(stepwise(place, move |progress| live.deploy(&wanted, progress)))
}

/// `POST /channels/{channel}/rules/{slot}/shadow`
pub(crate) async fn shadow(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    path: SlotPath,
    mut query: Query,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Problem> {
    let settings = settings_of(&mut query)?;
    query.end()?;
    let wanted = wanted(path, source(&headers, settings, &body)?, caller);
    let live = api.live.clone();
    Ok(stepwise(place, move |progress| live.shadow(&wanted, progress)))
}

/// `POST /channels/{channel}/rules/{slot}/promote`
pub(crate) async fn promote(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    SlotPath { channel, slot }: SlotPath,
) -> Result<impl IntoResponse, Problem> {
    let live = api.live.clone();
    at_once(place, move || live.promote(&channel, &slot, &caller.name)).await
}

/// `POST /channels/{channel}/rules/{slot}/drop`
pub(crate) async fn drop_shadow(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    SlotPath { channel, slot }: SlotPath,
) -> Result<impl IntoResponse, Problem> {
    let live = api.live.clone();
    at_once(place, move || live.drop_shadow(&channel, &slot, &caller.name)).await
}

/// `POST /channels/{channel}/rules/{slot}/rollback`
pub(crate) async fn roll_back(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    SlotPath { channel, slot }: SlotPath,
) -> Result<impl IntoResponse, Problem> {
    let live = api.live.clone();
    at_once(place, move || live.roll_back(&channel, &slot, &caller.name)).await
}

/// `POST /channels/{channel}/rules/{slot}/disable`
pub(crate) async fn disable(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    SlotPath { channel, slot }: SlotPath,
) -> Result<impl IntoResponse, Problem> {
    let live = api.live.clone();
    at_once(place, move || live.set_enabled(&channel, &slot, false, &caller.name)).await
}

/// `POST /channels/{channel}/rules/{slot}/enable`
pub(crate) async fn enable(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    SlotPath { channel, slot }: SlotPath,
) -> Result<impl IntoResponse, Problem> {
    let live = api.live.clone();
    at_once(place, move || live.set_enabled(&channel, &slot, true, &caller.name)).await
}
