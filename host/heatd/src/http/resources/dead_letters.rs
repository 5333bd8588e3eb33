//! Dead letters, which are calls of rules that failed: `GET /dead-letters` lists them, `POST /channels/{channel}/rules/{slot}/retry` makes the calls again.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::IntoResponse;
use heat_engine::{DeadLetter, kind_of, person_of};
use serde::{Deserialize, Serialize};

use crate::control::Error;
use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::body::JsonBody;
use crate::http::form::ndjson::at_once;
use crate::http::form::problem::Problem;
use crate::http::form::query::Query;
use crate::http::guard::limits::Place;
use crate::http::path::SlotPath;
use crate::http::resources::audit::SlotFilter;

/// How many dead letters an answer may have, and has when nobody says how many.
pub(crate) const MOST_LETTERS: usize = 10_000;

#[derive(Serialize)]
struct DeadLetterPage {
    dead_letters: Vec<DeadLetterRow>,
}

/// The same under its old name.
#[derive(Serialize)]
struct LetterPage {
    letters: Vec<DeadLetterRow>,
}

/// A call that failed and had no effects.
#[derive(Serialize)]
struct DeadLetterRow {
    number: u64,
    at: u64,
    channel: String,
    slot: String,
    digest: String,
    /// 0 for the event itself, then its faves in order.
    call: u32,
    cause: String,
    /// The id of the event.
    event: String,
    kind: &'static str,
    /// Login of the person who caused the event.
    person: Option<String>,
}

impl DeadLetterRow {
    fn of(number: u64, letter: DeadLetter) -> Self {
        Self {
            number,
            at: letter.at,
            digest: letter.digest.to_string(),
            call: letter.call,
            cause: letter.cause,
            kind: kind_of(&letter.event),
            person: person_of(&letter.event).map(|person| person.login),
            event: letter.event.id,
            channel: letter.channel,
            slot: letter.slot,
        }
    }
}

/// `GET /dead-letters`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    place: Place,
    mut query: Query,
) -> Result<impl IntoResponse, Problem> {
    let rows = rows(&api, &mut query)?;
    query.end()?;
    at_once(place, move || Ok(DeadLetterPage { dead_letters: rows()? })).await
}

/// `GET /letters`: the old address and the old field. It goes with the next release.
pub(crate) async fn list_by_old_name(
    State(api): State<Arc<Api>>,
    place: Place,
    mut query: Query,
) -> Result<impl IntoResponse, Problem> {
    let rows = rows(&api, &mut query)?;
    query.end()?;
    at_once(place, move || Ok(LetterPage { letters: rows()? })).await
}

/// Reads the query, and returns the work that finds the dead letters.
fn rows(
    api: &Api,
    query: &mut Query,
) -> Result<impl FnOnce() -> Result<Vec<DeadLetterRow>, Error> + Send + use<>, Problem> {
    let filter = SlotFilter::read(query)?;
    let most = query.count("count", MOST_LETTERS, MOST_LETTERS)?;
    let live = api.live.clone();
    Ok(move || {
        let snapshot =
            live.on_engine_thread("dead_letters.snapshot", |access| access.engine.snapshot())?;
        let letters = snapshot.dead_letters()?.into_iter();
        let letters = letters.filter(|(_, it)| filter.has(&it.channel, &it.slot)).take(most);
        Ok(letters.map(|(number, it)| DeadLetterRow::of(number, it)).collect())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryRequest {
    /// None: all of the slot.
    letter: Option<u64>,
}

/// `POST /channels/{channel}/rules/{slot}/retry`
pub(crate) async fn retry(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    SlotPath { channel, slot }: SlotPath,
    JsonBody(request): JsonBody<RetryRequest>,
) -> Result<impl IntoResponse, Problem> {
    let live = api.live.clone();
    at_once(place, move || live.retry(&channel, &slot, request.letter, &caller.name)).await
}
