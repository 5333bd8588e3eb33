//! What was and what would be: the audit log, dead letters, why, undo, simulate, replay.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use heat_engine::{Digest, kind_of, person_of, why as causes_of};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Api;
use super::access::needs;
use super::asked::{read, wrong};
use super::problem::Problem;
use super::rules::{json_of, source, wanted};
use super::steps::{at_once, stepwise};
use crate::control::{Imagined, Refusal, Replayed, Undone, as_json};
use crate::data::role::Role;
use crate::data::tokens::Caller;

/// How many entries of the audit log are told when nobody says how many, and how many may be.
pub(super) const ENTRIES: usize = 50;
pub(super) const MOST_ENTRIES: usize = 10_000;

/// How many causes.
pub(super) const CAUSES: usize = 20;
pub(super) const MOST_CAUSES: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    channel: Option<String>,
    slot: Option<String>,
    count: Option<usize>,
}

impl Which {
    pub(super) fn has(&self, channel: &str, slot: &str) -> bool {
        let name = |it: &String| it.trim_start_matches('#').eq_ignore_ascii_case(channel);
        self.channel.as_ref().is_none_or(name) && self.slot.as_ref().is_none_or(|it| it == slot)
    }
}

/// A number within bounds, or what stands in for it.
fn bounded(count: Option<usize>, usual: usize, most: usize) -> Result<usize, Problem> {
    match count {
        None => Ok(usual),
        Some(count) if (1..=most).contains(&count) => Ok(count),
        Some(_) => Err(wrong("count", &format!("it must be from 1 to {most}"))),
    }
}

/// `GET /history`
pub(super) async fn history(
    State(api): State<Arc<Api>>,
    query: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Problem> {
    let (which, live) = (read(query)?, api.live.clone());
    let most = bounded(which.count, ENTRIES, MOST_ENTRIES)?;
    at_once(move || {
        let snapshot = live.ask("audit.snapshot", |desk| desk.engine.snapshot())?;
        let hex = |digest: Option<Digest>| digest.map(|digest| digest.to_string());
        let entries = snapshot.audit(usize::MAX)?.into_iter();
        let entries =
            entries.filter(|(_, it)| which.has(&it.channel, &it.slot)).map(|(number, it)| {
                let settings: Map<String, Value> =
                    it.given.iter().map(|(name, given)| (name.clone(), as_json(given))).collect();
                json!({
                    "number": number, "at": it.at, "channel": it.channel, "slot": it.slot,
                    "action": it.action.name(), "by": it.by, "from": hex(it.from), "to": hex(it.to),
                    "settings": settings, "refused": it.refused, "note": it.note,
                })
            });
        let entries: Vec<Value> = entries.take(most).collect();
        Ok(json!({ "entries": entries }))
    })
    .await
}

/// `GET /letters`
pub(super) async fn letters(
    State(api): State<Arc<Api>>,
    query: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Problem> {
    let (which, live) = (read(query)?, api.live.clone());
    let most = bounded(which.count, MOST_ENTRIES, MOST_ENTRIES)?;
    at_once(move || {
        let snapshot = live.ask("letters.snapshot", |desk| desk.engine.snapshot())?;
        let letters = snapshot.dead_letters()?.into_iter();
        let letters =
            letters.filter(|(_, it)| which.has(&it.channel, &it.slot)).map(|(number, it)| {
                json!({
                    "number": number, "at": it.at, "channel": it.channel, "slot": it.slot,
                    "digest": it.digest.to_string(), "call": it.call, "cause": it.cause,
                    "event": it.event.id, "kind": kind_of(&it.event),
                    "person": person_of(&it.event).map(|person| person.login),
                })
            });
        Ok(json!({ "letters": letters.take(most).collect::<Vec<_>>() }))
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Of {
    output: Option<String>,
    count: Option<usize>,
}

/// `GET /channels/{channel}/why`
pub(super) async fn why(
    State(api): State<Arc<Api>>,
    Path(channel): Path<String>,
    query: Result<Query<Of>, QueryRejection>,
) -> Result<Response, Problem> {
    let (of, channel, live) = (read(query)?, super::channel(&api, &channel)?, api.live.clone());
    let most = bounded(of.count, CAUSES, MOST_CAUSES)?;
    at_once(move || {
        let output = of.output.unwrap_or_else(|| "heat".to_owned());
        let present = live.present(&channel)?;
        let snapshot = Arc::new(present.snapshot);
        let found = causes_of(&live.sandbox, snapshot, &channel, &present.rules, &output, most)?;
        let (since, causes) = found.ok_or_else(|| {
            Refusal::because(
                "the log has no checkpoint to begin from; there is one after the next event",
            )
        })?;
        let causes = causes.into_iter().map(|it| {
            json!({
                "at": it.at, "slot": it.slot, "digest": it.digest.to_string(), "event": it.event,
                "kind": it.kind, "person": it.person.map(|person| person.login),
                "faves": it.weight as f64 / 1000.0, "before": it.before, "after": it.after,
            })
        });
        Ok(json!({ "output": output, "since": since, "causes": causes.collect::<Vec<_>>() }))
    })
    .await
}

/// `POST /channels/{channel}/undo`
pub(super) async fn undo(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(channel): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let channel = super::channel(&api, &channel)?;
    let undone: Undone = json_of(body)?;
    if undone.is_of_component() {
        needs(&caller, Role::Owner, "to take back what a version of a rule did")?;
    }
    let live = api.live.clone();
    // Before the head of the answer, which would say that all is well.
    let turn = live.undo_turn()?;
    Ok(stepwise(move |steps| live.undo(turn, &channel, &undone, &caller.name, steps)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Simulation {
    pub(super) event: Imagined,
    #[serde(default)]
    live: bool,
}

/// `POST /channels/{channel}/simulate`
pub(super) async fn simulate(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(channel): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let channel = super::channel(&api, &channel)?;
    let simulation: Simulation = json_of(body)?;
    if simulation.live {
        needs(&caller, Role::Owner, "to let happen what was made up")?;
    }
    let live = api.live.clone();
    at_once(move || {
        let by = simulation.live.then_some(&*caller.name);
        live.simulate(&channel, &simulation.event, by)
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stretch {
    slot: String,
    from: Option<u64>,
    to: Option<u64>,
    output: Option<String>,
    /// How many bytes of a recording stand before the component.
    log: Option<usize>,
}

/// `POST /channels/{channel}/replay`
pub(super) async fn replay(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(channel): Path<String>,
    query: Result<Query<Stretch>, QueryRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let (stretch, channel) = (read(query)?, super::channel(&api, &channel)?);
    let mut body = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    let recording = match stretch.log {
        None => None,
        Some(bytes) if bytes <= body.len() => Some(body.split_to(bytes)),
        Some(bytes) => {
            let detail = format!("the body is shorter than the {bytes} bytes of the recording");
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
    };
    let rule = wanted(&api, &caller, &channel, stretch.slot, source(&headers, Ok(body))?)?;
    let wanted = Replayed {
        rule,
        from: stretch.from.unwrap_or(0),
        to: stretch.to.unwrap_or(u64::MAX),
        output: stretch.output.unwrap_or_else(|| "heat".to_owned()),
        recording: recording.map(Vec::from),
    };
    let live = api.live.clone();
    Ok(stepwise(move |steps| live.replay(wanted, steps)))
}
