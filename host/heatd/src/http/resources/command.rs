//! `POST /api/v1/channels/{channel}/command`: a moderator's order without chat.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;

use crate::http::api::{self, Api};
use crate::http::form::body::json_of;
use crate::http::form::ndjson::at_once;
use crate::http::form::problem::Problem;
use crate::tokens::Caller;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    text: String,
}

pub(crate) async fn give(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(channel): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let channel = api::channel(&api, &channel)?;
    let Order { text } = json_of(body)?;
    let live = api.live.clone();
    at_once(move || live.command(&channel, text.trim(), &caller.name)).await
}
