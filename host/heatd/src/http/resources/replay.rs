//! `POST /channels/{channel}/replay`: a stretch of the log, or a recording, with another rule in a slot.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tokio::sync::OwnedSemaphorePermit;

use crate::control::{DeployRequest, Edit, Replayed, RuleSource};
use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::body::{RawBody, settings, source};
use crate::http::form::ndjson::stepwise;
use crate::http::form::problem::Problem;
use crate::http::form::query::{Query, wrong};
use crate::http::guard::limits::Place;
use crate::http::path::{ChannelPath, SlotPath};

/// What the query says of a replay.
pub(crate) struct ReplayQuery {
    slot: String,
    from: u64,
    to: u64,
    output: String,
    /// How many bytes of a recording stand before the component.
    log: Option<usize>,
    /// What is set of the component.
    settings: Option<Edit>,
}

impl ReplayQuery {
    pub(crate) fn read(mut query: Query) -> Result<Self, Problem> {
        let missing = || wrong("slot", "name the slot in which the other rule is tried");
        let read = Self {
            slot: query.one("slot")?.ok_or_else(missing)?,
            from: query.number("from")?.unwrap_or(0),
            to: query.number("to")?.unwrap_or(u64::MAX),
            output: query.one("output")?.unwrap_or_else(|| "heat".to_owned()),
            log: query.number("log")?.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            settings: settings(&mut query)?,
        };
        query.end()?;
        Ok(read)
    }
}

/// The turn of a replay. One comes after the other: a recording is held while it is played, and that may be a third of what heatd has.
pub(crate) struct ReplayTurn {
    _permit: OwnedSemaphorePermit,
    /// Its place among the requests that keep heatd busy.
    _place: Place,
}

impl FromRequestParts<Arc<Api>> for ReplayTurn {
    type Rejection = Problem;

    /// Before the body is read.
    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let Ok(place) = Place::from_request_parts(parts, api).await;
        let detail = "another replay is under way; try again when it is done";
        let taken = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        Ok(Self { _permit: api.limits.replay().ok_or_else(taken)?, _place: place })
    }
}

/// `POST /channels/{channel}/replay`
pub(crate) async fn run(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    turn: ReplayTurn,
    ChannelPath(channel): ChannelPath,
    query: Query,
    headers: HeaderMap,
    RawBody(mut body): RawBody,
) -> Result<Response, Problem> {
    let ReplayQuery { slot, from, to, output, log, settings } = ReplayQuery::read(query)?;
    let (recording, body) = match log {
        None => (None, body),
        Some(bytes) if bytes <= body.len() => {
            let component = body.split_off(bytes);
            (Some(body), component)
        }
        Some(bytes) => {
            let detail = format!("the body is shorter than the {bytes} bytes of the recording");
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
    };
    let source = source(&headers, settings, &body)?;
    // A component may be tried in a slot that is not there yet.
    if let RuleSource::Settings(_) = source {
        SlotPath::of(&api, channel.clone(), slot.clone())?;
    }
    let rule = DeployRequest { channel, slot, source, by: caller.name };
    let replayed = Replayed { rule, from, to, output, recording };
    let live = api.live.clone();
    Ok(stepwise(turn, move |progress| live.replay(replayed, progress)))
}
