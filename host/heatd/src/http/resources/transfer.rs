//! Data: export, import, and forgetting a person.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::control::{ExportScope, Forgotten, Import};
use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::body::JsonBody;
use crate::http::form::ndjson::{at_once, blocking, stepwise};
use crate::http::form::problem::Problem;
use crate::http::form::query::Query;
use crate::http::guard::limits::Place;
use crate::http::path::ChannelPath;

/// The largest group of counts, in bytes.
pub(crate) const LARGEST_GROUP: usize = 1 << 20;

/// How many parts of an export wait for a slow reader.
const WAITING: usize = 4;

/// `GET /export`
pub(crate) async fn export(
    State(api): State<Arc<Api>>,
    place: Place,
    mut query: Query,
) -> Result<Response, Problem> {
    let channel = query.channel()?.map(|name| api.channel(&name)).transpose()?;
    let what = match query.choice("what", ["all", "counts", "log"])? {
        "counts" => ExportScope::Counts,
        "log" => ExportScope::Log,
        _ => ExportScope::All,
    };
    query.end()?;
    let live = api.live.clone();
    let exported = blocking(place.clone(), move || live.export(channel, what)).await?;
    let (parts, told) = mpsc::channel::<Vec<u8>>(WAITING);
    spawn_blocking(move || {
        let _place = place;
        // The client may be gone. If the store fails, the last line is missing, and the reader of the file notices.
        let send = |part| parts.blocking_send(part).is_ok();
        if let Err(error) = exported.write(send) {
            warn!(%error, "an export was broken off");
        }
    });
    let parts = unfold(told, |mut told| async move {
        let part = told.recv().await?;
        Some((Ok::<_, Infallible>(Bytes::from(part)), told))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(parts)).into_response())
}

/// `POST /channels/{channel}/import`
pub(crate) async fn import(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    ChannelPath(channel): ChannelPath,
    JsonBody(import): JsonBody<Import>,
) -> Result<impl IntoResponse, Problem> {
    let live = api.live.clone();
    at_once(place, move || live.import(&channel, import, &caller.name)).await
}

/// `POST /channels/{channel}/forget`
pub(crate) async fn forget(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    ChannelPath(channel): ChannelPath,
    JsonBody(forgotten): JsonBody<Forgotten>,
) -> Result<Response, Problem> {
    let (live, store) = (api.live.clone(), api.store.clone());
    // Before the head of the answer, which cannot be 409 any more once it is sent.
    let turn = live.undo_turn()?;
    Ok(stepwise(place, move |progress| {
        live.forget(turn, &channel, &forgotten, &caller.name, &store, progress)
    }))
}
