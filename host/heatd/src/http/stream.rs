//! `POST /api/v1/channels/{channel}/stream`: somebody says that the stream starts or ends.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use heat_engine::wit::{Event, Happening};
use heat_engine::{Action, state_name};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Api;
use super::problem::Problem;
use crate::clock::now;
use crate::control::Refusal;
use crate::data::tokens::Caller;
use crate::queue::Input;

/// How long the engine may take: it waits for the clock at the start, and for the disk.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    state: Wished,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Wished {
    Start,
    End,
}

/// Answers with the new state after it is durable.
pub(super) async fn change(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(channel): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Problem> {
    let name = channel.trim_start_matches('#').to_lowercase();
    let listed = api.registry.find(&name).ok_or_else(|| Problem::no_channel(&name))?;
    let body = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    let wish: Wish = serde_json::from_slice(&body).map_err(|error| {
        let detail = format!("the body must be {{\"state\": \"start\"}} or \"end\": {error}");
        Problem::new(StatusCode::BAD_REQUEST, detail)
    })?;
    let (what, said) = match wish.state {
        Wished::Start => (Happening::StreamStart, "starts"),
        Wished::End => (Happening::StreamEnd, "ends"),
    };
    let now = now();
    let id = format!("api:{now}:{:016x}", fastrand::u64(..));
    let (decided, answer) = oneshot::channel();
    let event = Event { id, channel: name.clone(), at: now, what };
    let gone = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "heatd is shutting down");
    let late = || {
        let detail = format!("the engine has not answered within {PATIENCE:?}; it may do it yet");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    };
    let inputs = api.inputs.upgrade().ok_or_else(gone)?;
    let asked = async move {
        inputs.send(Input::with_answer(now, event, decided)).await.map_err(|_| gone())?;
        drop(inputs);
        answer.await.map_err(|_| gone())
    };
    let stream = timeout(PATIENCE, asked).await.map_err(|_| late())??;
    let (live, channel) = (api.live.clone(), name.clone());
    let noted = move || live.note(&channel, Action::Stream, &caller.name, said);
    spawn_blocking(noted).await.unwrap_or(Err(Refusal::Gone))?;
    let page = json!({
        "channel": &*listed.channel,
        "state": state_name(stream.as_ref()),
        "since": stream.map(|stream| stream.since),
    });
    Ok(([(header::CONTENT_TYPE, "application/json")], page.to_string()))
}
