//! The channels that heatd reads: `GET /channels`, `POST /channels`, `DELETE /channels/{channel}`.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::IntoResponse;
use heat_engine::{Stream, is_notice, state_name};
use serde::{Deserialize, Serialize};

use crate::control::MessageAnswer;
use crate::control::channels::MOST;
use crate::data::role::Role;
use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::answer::JsonAnswer;
use crate::http::form::body::JsonBody;
use crate::http::form::ndjson::at_once;
use crate::http::form::problem::Problem;
use crate::http::guard::limits::Place;
use crate::http::path::ChannelPath;
use crate::view::registry::ChannelEntry;

#[derive(Serialize)]
struct ChannelPage {
    channels: Vec<ChannelRow>,
    removed: Vec<RemovedChannel>,
    /// How many there may be.
    limit: usize,
}

#[derive(Serialize)]
struct ChannelRow {
    name: String,
    /// Whether the configuration names it.
    configured: bool,
    /// Whether Twitch sends its chat.
    chat: &'static str,
    stream: StreamRow,
    /// Names of the slots.
    rules: Vec<String>,
    /// What its rules tell everybody, such as that faves are paused. Empty for viewers.
    notices: Vec<String>,
}

#[derive(Serialize)]
struct RemovedChannel {
    name: String,
    at: u64,
}

/// Whether a stream is live.
#[derive(Serialize)]
pub(crate) struct StreamRow {
    state: &'static str,
    since: Option<u64>,
}

impl StreamRow {
    pub(crate) fn of(stream: Option<&Stream>) -> Self {
        Self { state: state_name(stream), since: stream.map(|stream| stream.since) }
    }
}

/// `GET /channels`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> impl IntoResponse {
    let mut channels: Vec<ChannelRow> =
        api.registry.channels().iter().map(|listed| row(&api, listed)).collect();
    if caller.role == Role::Viewer {
        // A rule may say there what somebody has written.
        channels.iter_mut().for_each(|channel| channel.notices.clear());
    }
    let removed = api.registry.removed().clone().into_iter();
    let removed = removed.map(|(name, at)| RemovedChannel { name, at }).collect();
    JsonAnswer(ChannelPage { channels, removed, limit: MOST })
}

fn row(api: &Api, listed: &ChannelEntry) -> ChannelRow {
    let name = &*listed.channel;
    let outputs = api.outputs.borrow();
    let shown = outputs.iter().filter(|((channel, _), _)| *channel == listed.channel);
    let notices = shown.filter(|((_, output), _)| is_notice(output));
    ChannelRow {
        name: name.to_owned(),
        configured: api.channels.is_configured(name),
        chat: api.metrics.health().channel(name),
        stream: StreamRow::of(api.states.borrow().get(name)),
        rules: listed.slots.iter().map(|it| it.slot.clone()).collect(),
        notices: notices.filter_map(|(_, text)| text.clone()).collect(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddChannelRequest {
    channel: String,
}

#[derive(Serialize)]
struct AddedChannel {
    message: String,
    rules: Vec<String>,
}

/// `POST /channels`
pub(crate) async fn add(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    JsonBody(request): JsonBody<AddChannelRequest>,
) -> Result<impl IntoResponse, Problem> {
    at_once(place, move || {
        let (name, rules) = api.channels.add(&request.channel, &caller.name)?;
        let with = if rules.is_empty() {
            "no [[rule]] is for every channel, so nothing but chat is counted there".to_owned()
        } else {
            format!("its rules are {}", rules.join(", "))
        };
        Ok(AddedChannel { message: format!("#{name} is read from now on; {with}"), rules })
    })
    .await
}

/// `DELETE /channels/{channel}`
pub(crate) async fn remove(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    ChannelPath(channel): ChannelPath,
) -> Result<impl IntoResponse, Problem> {
    at_once(place, move || {
        api.channels.remove(&channel, &caller.name)?;
        let message = format!("#{channel} is read no more; what was counted there is kept");
        Ok(MessageAnswer::new(message))
    })
    .await
}
