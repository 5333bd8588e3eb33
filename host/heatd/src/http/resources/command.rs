//! `POST /channels/{channel}/command`: a moderator's order without chat.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::IntoResponse;
use serde::Deserialize;

use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::body::JsonBody;
use crate::http::form::ndjson::at_once;
use crate::http::form::problem::Problem;
use crate::http::guard::limits::Place;
use crate::http::path::ChannelPath;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandRequest {
    text: String,
}

/// `POST /channels/{channel}/command`
pub(crate) async fn give(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    ChannelPath(channel): ChannelPath,
    JsonBody(request): JsonBody<CommandRequest>,
) -> Result<impl IntoResponse, Problem> {
    let live = api.live.clone();
    at_once(place, move || live.command(&channel, request.text.trim(), &caller.name)).await
}
