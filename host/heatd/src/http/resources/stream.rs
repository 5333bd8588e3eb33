//! `POST /channels/{channel}/stream`: somebody says that the stream starts or ends.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use heat_engine::wit::{Event, Happening};
use heat_engine::{Action, Stream, state_name};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::clock::now;
use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::answer::JsonAnswer;
use crate::http::form::body::JsonBody;
use crate::http::form::ndjson::blocking;
use crate::http::form::problem::Problem;
use crate::http::guard::limits::Place;
use crate::http::path::ChannelPath;
use crate::queue::Input;

/// How long the engine may take: it waits for the clock at the start, and for the disk.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamRequest {
    state: StreamChange,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StreamChange {
    Start,
    End,
}

#[derive(Serialize)]
struct StreamPage {
    channel: String,
    state: &'static str,
    since: Option<u64>,
}

/// Answers with the new state after it is durable.
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    ChannelPath(channel): ChannelPath,
    JsonBody(request): JsonBody<StreamRequest>,
) -> Result<impl IntoResponse, Problem> {
    let (what, note) = match request.state {
        StreamChange::Start => (Happening::StreamStart, "starts"),
        StreamChange::End => (Happening::StreamEnd, "ends"),
    };
    let late = |_| {
        let detail = format!("the engine has not answered within {TIMEOUT:?}; it may do it yet");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    };
    let before = api.states.borrow().get(channel.as_str()).copied();
    let stream = timeout(TIMEOUT, decided(&api, &channel, what)).await.map_err(late)??;
    let (live, name) = (api.live.clone(), channel.clone());
    // Who says what is known already has changed nothing.
    if stream != before {
        blocking(place, move || live.note(&name, Action::Stream, &caller.name, note)).await?;
    }
    let (state, since) = (state_name(stream.as_ref()), stream.map(|stream| stream.since));
    Ok(JsonAnswer(StreamPage { channel, state, since }))
}

/// Hands an event to the engine, and waits until it is decided and durable.
async fn decided(api: &Api, channel: &str, what: Happening) -> Result<Option<Stream>, Problem> {
    let gone = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "heatd is shutting down");
    let now = now();
    let id = format!("api:{now}:{:016x}", fastrand::u64(..));
    let event = Event { id, channel: channel.to_owned(), at: now, what };
    let (decided, answer) = oneshot::channel();
    let inputs = api.inputs.upgrade().ok_or_else(gone)?;
    inputs.send(Input::with_answer(now, event, decided)).await.map_err(|_| gone())?;
    // The queue ends with its last sender, and a shutdown waits for that.
    drop(inputs);
    answer.await.map_err(|_| gone())
}
