//! The slots: what runs in them, and every change of it.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use heat_engine::{Action, ChangeError, ChangeRequest, Limits, SlotStatus, Status};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::declared::tell_settings;
use super::problem::Problem;
use super::steps::{at_once, stepwise};
use crate::control::{Edit, Live, Refusal, Source, Wanted};
use crate::data::tokens::Caller;

/// `GET /rules`
pub(super) async fn list(State(api): State<Arc<Api>>) -> Result<Response, Problem> {
    let live = api.live.clone();
    at_once(move || {
        let slots = live.ask("rules.list", |desk| Ok(desk.engine.slot_statuses_with_rules()))?;
        let rules: Vec<Value> = slots
            .into_iter()
            .map(|(standing, rule)| {
                let mut told = told(&api, &live, &standing);
                tell_settings(&rule, &mut told);
                told
            })
            .collect();
        Ok(json!({ "rules": rules }))
    })
    .await
}

fn told(api: &Api, live: &Live, standing: &SlotStatus) -> Value {
    let mut rule = serde_json::to_value(standing).unwrap_or_default();
    rule["channel"] = Value::from(standing.channel.clone());
    let listed = api.roster.find(&standing.channel);
    if let Some(counts) = listed.as_ref().and_then(|listed| listed.counts(&standing.slot)) {
        rule["calls"] = Value::from(counts.figures.calls.get());
        rule["failures"] = Value::from(counts.figures.failures.get());
        rule["fuel"] = Value::from(counts.figures.fuel.get());
        rule["fuel_limit"] = Value::from(Limits::default().fuel);
    }
    if let Some(shadow) = live.shadows.told(&standing.channel, &standing.slot) {
        rule["shadow"] = shadow;
    }
    rule
}

/// `PUT /channels/{channel}/rules/{slot}`
pub(super) async fn deploy(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((channel, slot)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let wanted = wanted(&api, &caller, &channel, slot, Source::Component(component(body)?))?;
    let live = api.live.clone();
    Ok(stepwise(move |steps| live.deploy(&wanted, steps)))
}

/// `POST /channels/{channel}/rules/{slot}/settings`
pub(super) async fn settings(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((channel, slot)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let edit: Edit = json_of(body)?;
    if edit.is_empty() {
        let detail = "say what to `set` or to `unset`";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let wanted = wanted(&api, &caller, &channel, slot, Source::Settings(edit))?;
    let live = api.live.clone();
    Ok(stepwise(move |steps| live.deploy(&wanted, steps)))
}

/// `POST /channels/{channel}/rules/{slot}/shadow`
pub(super) async fn shadow(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((channel, slot)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let wanted = wanted(&api, &caller, &channel, slot, source(&headers, body)?)?;
    let live = api.live.clone();
    Ok(stepwise(move |steps| live.shadow(&wanted, steps)))
}

/// A component, or what is live with other settings.
pub(super) fn source(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Source, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // A type may have parameters: application/json; charset=utf-8.
    match kind.and_then(|kind| kind.split(';').next()).map(str::trim) {
        Some(kind) if kind.eq_ignore_ascii_case("application/json") => {
            Ok(Source::Settings(json_of(body)?))
        }
        _ => Ok(Source::Component(component(body)?)),
    }
}

/// `POST /channels/{channel}/rules/{slot}/{action}`
pub(super) async fn act(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((channel, slot, action)): Path<(String, String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let channel = super::channel(&api, &channel)?;
    known_slot(&api, &channel, &slot)?;
    let (live, by) = (api.live.clone(), caller.name);
    match action.as_str() {
        "promote" => at_once(move || live.promote(&channel, &slot, &by)).await,
        "drop" => at_once(move || live.drop_shadow(&channel, &slot)).await,
        "rollback" => at_once(move || roll_back(&live, channel, slot, &by)).await,
        "disable" => {
            let order = ChangeRequest::new(Action::Disable, &by, "");
            at_once(move || turn(&live, channel, slot, Status::Disabled, order)).await
        }
        "enable" => {
            let order = ChangeRequest::new(Action::Enable, &by, "");
            at_once(move || turn(&live, channel, slot, Status::On, order)).await
        }
        "retry" => {
            let again: Again = json_of(body)?;
            at_once(move || retry(&live, channel, slot, again.letter, &by)).await
        }
        _ => Err(Problem::new(StatusCode::NOT_FOUND, format!("nothing is called {action:?} here"))),
    }
}

/// While the rule before is standing by, it goes on; later, what was live before is deployed again.
fn roll_back(live: &Live, channel: String, slot: String, by: &str) -> Result<Value, Refusal> {
    let order = ChangeRequest::new(Action::RollBack, by, "");
    let (name, of) = (channel.clone(), slot.clone());
    let back = live.ask("swap.back", move |desk| {
        let rejected = match desk.engine.roll_back(&name.as_str().into(), &of, &order) {
            Ok(()) => false,
            Err(ChangeError::Rejected(_)) => true,
            Err(ChangeError::Store(error)) => return Err(error),
        };
        Ok((rejected, desk.engine.snapshot()?))
    })?;
    match back {
        (false, _) => {
            let done = format!(
                "the rule before is live again in slot {slot} of #{channel}, as if it had been all the time"
            );
            Ok(json!({ "done": done }))
        }
        (true, snapshot) => live.deploy_previous(&channel, &slot, &snapshot, by),
    }
}

fn turn(
    live: &Live,
    channel: String,
    slot: String,
    to: Status,
    order: ChangeRequest,
) -> Result<Value, Refusal> {
    let done =
        format!("slot {slot} of #{channel} is {}", if to == Status::On { "on" } else { "off" });
    live.change("rule.turn", move |desk| {
        desk.engine.set_status(&channel.as_str().into(), &slot, to, &order)
    })?;
    Ok(json!({ "done": done }))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    /// None: all of the slot.
    letter: Option<u64>,
}

fn retry(
    live: &Live,
    channel: String,
    slot: String,
    letter: Option<u64>,
    by: &str,
) -> Result<Value, Refusal> {
    let snapshot = live.present(&channel)?.snapshot;
    let mine = snapshot.dead_letters()?.into_iter().filter(|(number, it)| {
        it.channel == channel && it.slot == slot && letter.is_none_or(|wanted| wanted == *number)
    });
    let mine: Vec<_> = mine.collect();
    if mine.is_empty() {
        return Err(Refusal::Unknown(format!("slot {slot} of #{channel} has no such letter")));
    }
    live.note(&channel, Action::Retry, by, &format!("calls of slot {slot}"))?;
    let (mut again, mut failed) = (0, 0);
    for (number, letter) in mine {
        let decision =
            live.change("letter.retry", move |desk| desk.engine.retry(number, &letter))?;
        again += 1;
        failed += u64::from(decision.answers.iter().any(|answer| answer.outcome.is_err()));
    }
    let done = format!("{again} calls made again, {failed} failed as before");
    Ok(json!({ "done": done, "again": again, "failed": failed }))
}

/// What is wanted in a slot that there is.
pub(super) fn wanted(
    api: &Api,
    caller: &Caller,
    channel: &str,
    slot: String,
    source: Source,
) -> Result<Wanted, Problem> {
    let channel = super::channel(api, channel)?;
    known_slot(api, &channel, &slot)?;
    Ok(Wanted { channel, slot, source, by: caller.name.clone() })
}

fn known_slot(api: &Api, channel: &str, slot: &str) -> Result<(), Problem> {
    let listed = api.roster.find(channel).ok_or_else(|| Problem::no_channel(channel))?;
    if listed.counts(slot).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = listed.slots.iter().map(|it| it.slot.as_str()).collect();
    let detail = format!("#{channel} has no slot {slot:?}; it has {}", names.join(", "));
    Err(Problem::new(StatusCode::NOT_FOUND, detail))
}

fn component(body: Result<Bytes, BytesRejection>) -> Result<Arc<[u8]>, Problem> {
    let body = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    Ok(Arc::from(&body[..]))
}

/// A body of JSON; an empty one is an empty object.
pub(super) fn json_of<V: for<'a> Deserialize<'a>>(
    body: Result<Bytes, BytesRejection>,
) -> Result<V, Problem> {
    let body = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
    serde_json::from_slice(text).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the body is not what is expected: {error}"))
    })
}
