//! The channels that heatd reads: `GET /channels`, `POST /channels`, `DELETE /channels/{channel}`.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use heat_engine::state_name;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::problem::Problem;
use super::rules::json_of;
use super::steps::at_once;
use crate::control::channels::MOST;
use crate::data::tokens::Caller;
use crate::view::registry::ChannelEntry;

/// `GET /channels`
pub(super) async fn list(State(api): State<Arc<Api>>) -> impl IntoResponse {
    let channels: Vec<Value> =
        api.registry.channels().iter().map(|listed| told(&api, listed)).collect();
    let removed: Vec<Value> =
        api.registry.removed().iter().map(|(name, at)| json!({ "name": name, "at": at })).collect();
    let page = json!({ "channels": channels, "removed": removed, "most": MOST });
    ([(header::CONTENT_TYPE, "application/json")], page.to_string())
}

fn told(api: &Api, listed: &ChannelEntry) -> Value {
    let name = &*listed.channel;
    let stream = api.states.borrow().get(name).copied();
    json!({
        "name": name,
        "configured": api.channels.is_configured(name),
        "chat": api.metrics.health().channel(name),
        "stream": { "state": state_name(stream.as_ref()), "since": stream.map(|stream| stream.since) },
        "rules": listed.slots.iter().map(|it| it.slot.as_str()).collect::<Vec<_>>(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    channel: String,
}

/// `POST /channels`
pub(super) async fn add(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let wish: Wish = json_of(body)?;
    at_once(move || {
        let (name, rules) = api.channels.add(&wish.channel, &caller.name)?;
        let with = if rules.is_empty() {
            "no [[rule]] is for every channel, so nothing but chat is counted there".to_owned()
        } else {
            format!("its rules are {}", rules.join(", "))
        };
        Ok(json!({ "done": format!("#{name} is read from now on; {with}"), "rules": rules }))
    })
    .await
}

/// `DELETE /channels/{channel}`
pub(super) async fn remove(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(channel): Path<String>,
) -> Result<Response, Problem> {
    let name = super::channel(&api, &channel)?;
    at_once(move || {
        api.channels.remove(&name, &caller.name)?;
        let done = format!("#{name} is read no more; what was counted there is kept");
        Ok(json!({ "done": done }))
    })
    .await
}
