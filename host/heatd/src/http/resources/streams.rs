//! When the last streams were: `GET /channels/{channel}/streams`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use serde::Serialize;

use crate::http::api::Api;
use crate::http::form::ndjson::at_once;
use crate::http::form::problem::Problem;
use crate::http::form::query::Query;
use crate::http::guard::limits::Place;
use crate::http::path::CountedPath;

/// How many streams an answer has when nobody says how many, and how many it may have.
pub(crate) const STREAMS: usize = 10;
pub(crate) const MOST_STREAMS: usize = 100;

#[derive(Serialize)]
struct StreamsPage {
    channel: String,
    /// When the channel was heard first.
    known_since: Option<u64>,
    streams: Vec<PastStreamRow>,
}

#[derive(Serialize)]
struct PastStreamRow {
    from: u64,
    /// None: it is live.
    to: Option<u64>,
}

/// `GET /channels/{channel}/streams`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    place: Place,
    CountedPath(channel): CountedPath,
    mut query: Query,
) -> Result<impl IntoResponse, Problem> {
    let most = query.count("count", STREAMS, MOST_STREAMS)?;
    query.end()?;
    let statistics = api.statistics()?;
    let turn = api.limits.question().await;
    at_once((place, turn), move || {
        let known_since = statistics.known_since(&channel)?;
        let streams = statistics.last_streams(&channel, most)?.into_iter();
        let streams = streams.map(|stream| PastStreamRow { from: stream.from, to: stream.to });
        Ok(StreamsPage { streams: streams.collect(), known_since, channel })
    })
    .await
}
