//! `GET /channels/{channel}/why`: the events that changed an output.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use heat_engine::why as causes_of;
use serde::Serialize;

use crate::control::{Error, must_be_there};
use crate::http::api::Api;
use crate::http::form::ndjson::at_once;
use crate::http::form::problem::Problem;
use crate::http::form::query::Query;
use crate::http::form::table::level;
use crate::http::guard::limits::Place;
use crate::http::path::ChannelPath;

/// How many causes an answer has when nobody says how many, and how many it may have.
pub(crate) const CAUSES: usize = 20;
pub(crate) const MOST_CAUSES: usize = 1_000;

#[derive(Serialize)]
struct WhyPage {
    output: String,
    /// How far back the log was read, as a time.
    since: u64,
    causes: Vec<CauseRow>,
}

/// An event that changed the text.
#[derive(Serialize)]
struct CauseRow {
    at: u64,
    slot: String,
    digest: String,
    event: String,
    kind: &'static str,
    person: Option<String>,
    faves: f64,
    before: Option<String>,
    after: String,
}

/// `GET /channels/{channel}/why`
pub(crate) async fn explain(
    State(api): State<Arc<Api>>,
    place: Place,
    ChannelPath(channel): ChannelPath,
    mut query: Query,
) -> Result<impl IntoResponse, Problem> {
    let output = query.one("output")?.unwrap_or_else(|| "heat".to_owned());
    let most = query.count("count", CAUSES, MOST_CAUSES)?;
    query.end()?;
    let live = api.live.clone();
    at_once(place, move || {
        let present = live.present(&channel)?;
        let snapshot = present.snapshot;
        let rules = &present.rules;
        let seen = Arc::clone(&snapshot);
        let found = causes_of(&live.sandbox, snapshot, &channel, rules, &output, most)?;
        let (since, causes) = found.ok_or_else(|| {
            Error::because(
                "the log has no checkpoint to begin from; there is one after the next event",
            )
        })?;
        if causes.is_empty() {
            must_be_there(&output, &seen, &channel, rules)?;
        }
        let causes = causes.into_iter().map(|it| CauseRow {
            at: it.at,
            slot: it.slot,
            digest: it.digest.to_string(),
            event: it.event,
            kind: it.kind,
            person: it.person.map(|person| person.login),
            faves: level(it.weight),
            before: it.before,
            after: it.after,
        });
        Ok(WhyPage { output, since, causes: causes.collect() })
    })
    .await
}
