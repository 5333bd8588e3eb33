//! `GET /channels/{channel}/faves`: the most faved items, and the people who faved most.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use heat_engine::wit::Tally;
use serde::Serialize;

use crate::control::Error;
use crate::http::api::Api;
use crate::http::form::ndjson::at_once;
use crate::http::form::problem::Problem;
use crate::http::form::query::Query;
use crate::http::form::table::level;
use crate::http::guard::limits::Place;
use crate::http::path::CountedPath;

/// How long a list of the most faved is when nobody says so, and how long it may be.
pub(crate) const TOP: usize = 10;
pub(crate) const MOST_TOP: usize = 1_000;

#[derive(Serialize)]
struct FavePage {
    channel: String,
    total: TallyRow,
    items: Vec<ItemRow>,
    people: Vec<PersonRow>,
}

#[derive(Serialize)]
struct TallyRow {
    faves: u64,
    weight: f64,
    people: u32,
}

impl TallyRow {
    fn of(tally: &Tally) -> Self {
        Self { faves: tally.faves, weight: level(tally.weight), people: tally.people }
    }
}

#[derive(Serialize)]
struct ItemRow {
    item: String,
    #[serde(flatten)]
    tally: TallyRow,
}

#[derive(Serialize)]
struct PersonRow {
    login: String,
    name: String,
    faves: u64,
    weight: f64,
}

/// `GET /channels/{channel}/faves`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    place: Place,
    CountedPath(channel): CountedPath,
    mut query: Query,
) -> Result<impl IntoResponse, Problem> {
    let most = query.count("count", TOP, MOST_TOP)?;
    query.end()?;
    let statistics = api.statistics()?;
    let turn = api.limits.question().await;
    at_once((place, turn), move || {
        let found = statistics.most_faved(&channel, most)?;
        let found = found.ok_or_else(|| Error::because("too many people for a list"))?;
        let items = found.items.into_iter();
        let people = found.people.into_iter();
        Ok(FavePage {
            channel,
            total: TallyRow::of(&found.total),
            items: items.map(|(item, it)| ItemRow { item, tally: TallyRow::of(&it) }).collect(),
            people: people
                .map(|(person, it)| PersonRow {
                    login: person.login,
                    name: person.name,
                    faves: it.faves,
                    weight: level(it.weight),
                })
                .collect(),
        })
    })
    .await
}
