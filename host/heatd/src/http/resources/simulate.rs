//! `POST /channels/{channel}/simulate`: what the rules would answer to an event that did not happen.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::IntoResponse;
use serde::Deserialize;

use crate::control::Imagined;
use crate::data::role::Role;
use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::body::JsonBody;
use crate::http::form::ndjson::at_once;
use crate::http::form::problem::Problem;
use crate::http::guard::limits::Place;
use crate::http::guard::roles::needs;
use crate::http::path::ChannelPath;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SimulateRequest {
    pub(crate) event: Imagined,
    /// Whether it happens, and is not only tried.
    #[serde(default)]
    live: bool,
}

/// `POST /channels/{channel}/simulate`
pub(crate) async fn run(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    ChannelPath(channel): ChannelPath,
    JsonBody(request): JsonBody<SimulateRequest>,
) -> Result<impl IntoResponse, Problem> {
    if request.live {
        needs(&caller, Role::Owner, "to let happen what was made up")?;
    }
    let live = api.live.clone();
    at_once(place, move || {
        let by = request.live.then_some(&*caller.name);
        live.simulate(&channel, &request.event, by)
    })
    .await
}
