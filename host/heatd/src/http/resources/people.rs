//! `GET /channels/{channel}/people/{person}`: by which names somebody is known, since when, and how often they came.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use heat_engine::{Identity, NameSeen};
use serde::Serialize;

use crate::control::known_as;
use crate::http::api::Api;
use crate::http::form::ndjson::at_once;
use crate::http::form::problem::Problem;
use crate::http::form::query::Query;
use crate::http::form::table::level;
use crate::http::guard::limits::Place;
use crate::http::path::PersonPath;

#[derive(Serialize)]
struct PersonPage {
    channel: String,
    ids: Vec<String>,
    names: Vec<NameRow>,
    /// How far back the log goes.
    log_since: Option<u64>,
    first_seen: Option<u64>,
    last_seen: Option<u64>,
    first_line: Option<FirstLine>,
    /// On how many days, by UTC.
    days: u64,
    events: BTreeMap<String, u64>,
    faves: u64,
    weight: f64,
}

#[derive(Serialize)]
struct NameRow {
    login: String,
    name: String,
    first_seen: Option<u64>,
    last_seen: Option<u64>,
}

impl From<NameSeen> for NameRow {
    fn from(it: NameSeen) -> Self {
        let (first_seen, last_seen) = it.seen.unzip();
        Self { login: it.login, name: it.name, first_seen, last_seen }
    }
}

#[derive(Serialize)]
struct FirstLine {
    at: u64,
    text: String,
}

/// `GET /channels/{channel}/people/{person}`
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    place: Place,
    PersonPath { channel, person }: PersonPath,
    query: Query,
) -> Result<impl IntoResponse, Problem> {
    query.end()?;
    api.must_have_history(&channel)?;
    let live = api.live.clone();
    let turn = api.limits.question().await;
    at_once((place, turn), move || {
        let snapshot =
            live.on_engine_thread("person.snapshot", |access| access.engine.snapshot())?;
        let who: Identity = known_as(&snapshot, &channel, &person)?;
        let known = snapshot.person_history(&channel, &who)?;
        let tally = snapshot.tally_of(&channel, &who)?;
        let (first_seen, last_seen) = known.seen.unzip();
        Ok(PersonPage {
            channel,
            // Ids that stand for a login are heatd's own business.
            ids: who
                .ids()
                .filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
                .cloned()
                .collect(),
            names: known.names.into_iter().map(NameRow::from).collect(),
            log_since: snapshot.oldest()?,
            first_seen,
            last_seen,
            first_line: known.first_line.map(|(at, text)| FirstLine { at, text }),
            days: known.days,
            events: known.events,
            faves: tally.faves,
            weight: level(tally.weight),
        })
    })
    .await
}
