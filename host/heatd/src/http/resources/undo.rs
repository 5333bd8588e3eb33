//! `POST /channels/{channel}/undo`: takes back what a person, an event, or a version of a rule did.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use crate::control::Undone;
use crate::data::role::Role;
use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::body::JsonBody;
use crate::http::form::ndjson::stepwise;
use crate::http::form::problem::Problem;
use crate::http::guard::limits::Place;
use crate::http::guard::roles::needs;
use crate::http::path::ChannelPath;

/// `POST /channels/{channel}/undo`
pub(crate) async fn run(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    ChannelPath(channel): ChannelPath,
    JsonBody(undone): JsonBody<Undone>,
) -> Result<Response, Problem> {
    if undone.is_of_component() {
        needs(&caller, Role::Owner, "to take back what a version of a rule did")?;
    }
    let live = api.live.clone();
    // Before the head of the answer, which cannot be 409 any more once it is sent.
    let turn = live.undo_turn()?;
    Ok(stepwise(place, move |progress| live.undo(turn, &channel, &undone, &caller.name, progress)))
}
