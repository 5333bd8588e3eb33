//! Data out, in and away: export, import, and forgetting a person.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tracing::warn;

use super::Api;
use super::asked::read;
use super::problem::Problem;
use super::rules::json_of;
use super::steps::{at_once, stepwise};
use crate::control::{ExportScope, Exported, Forgotten, Import, Refusal};

/// The largest group of counts, in bytes.
pub(super) const LARGEST_GROUP: usize = 1 << 20;

/// How many parts of an export wait for a slow reader.
const WAITING: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    channel: Option<String>,
    #[serde(default)]
    what: ExportScope,
}

/// `GET /export`
pub(super) async fn export(
    State(api): State<Arc<Api>>,
    query: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let wanted = read(query)?;
    let channel = wanted.channel.map(|name| super::channel(&api, &name)).transpose()?;
    let (live, what) = (api.live.clone(), wanted.what);
    let prepared = spawn_blocking(move || live.export(channel, what));
    let exported: Exported = prepared.await.unwrap_or(Err(Refusal::Gone))?;
    let (parts, told) = mpsc::channel::<Vec<u8>>(WAITING);
    spawn_blocking(move || {
        // Who has asked may be gone. Where the store fails, the file has no end, and so its reader knows.
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
pub(super) async fn import(
    State(api): State<Arc<Api>>,
    Path(channel): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let channel = super::channel(&api, &channel)?;
    let import: Import = json_of(body)?;
    let live = api.live.clone();
    at_once(move || live.import(&channel, import, "api")).await
}

/// `POST /channels/{channel}/forget`
pub(super) async fn forget(
    State(api): State<Arc<Api>>,
    Path(channel): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let channel = super::channel(&api, &channel)?;
    let forgotten: Forgotten = json_of(body)?;
    let (live, store): (_, PathBuf) = (api.live.clone(), api.store.clone());
    let turn = live.undo_turn()?;
    Ok(stepwise(move |steps| live.forget(turn, &channel, &forgotten, &store, steps)))
}
