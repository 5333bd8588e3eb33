//! Extractors for the channel and the slot in a path. A handler gets only channels and slots that exist.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::http::api::Api;
use crate::http::form::problem::Problem;
use crate::http::form::query::login_of;

/// The login of a channel that heatd reads.
pub(crate) struct ChannelPath(pub(crate) String);

/// The login of a channel that heatd reads or has read. The counts of a removed channel are kept.
pub(crate) struct CountedPath(pub(crate) String);

/// Somebody, by id, login or name, in a channel that heatd reads or has read.
pub(crate) struct PersonPath {
    pub(crate) channel: String,
    pub(crate) person: String,
}

/// A slot of a channel that heatd reads.
pub(crate) struct SlotPath {
    pub(crate) channel: String,
    pub(crate) slot: String,
}

/// The part `{channel}` of a path; other parts are ignored.
#[derive(Deserialize)]
struct ChannelPart {
    channel: String,
}

#[derive(Deserialize)]
struct PersonPart {
    person: String,
}

#[derive(Deserialize)]
struct SlotPart {
    slot: String,
}

impl FromRequestParts<Arc<Api>> for ChannelPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let ChannelPart { channel } = read(parts, api).await?;
        api.channel(&channel).map(Self)
    }
}

impl FromRequestParts<Arc<Api>> for CountedPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let ChannelPart { channel } = read(parts, api).await?;
        let name = login_of(&channel);
        if api.registry.removed().contains_key(&name) {
            return Ok(Self(name));
        }
        api.channel(&name).map(Self)
    }
}

impl FromRequestParts<Arc<Api>> for PersonPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let CountedPath(channel) = CountedPath::from_request_parts(parts, api).await?;
        let PersonPart { person } = read(parts, api).await?;
        Ok(Self { channel, person })
    }
}

impl FromRequestParts<Arc<Api>> for SlotPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let ChannelPath(channel) = ChannelPath::from_request_parts(parts, api).await?;
        let SlotPart { slot } = read(parts, api).await?;
        Self::of(api, channel, slot)
    }
}

impl SlotPath {
    /// Refuses a slot that the channel does not have.
    pub(crate) fn of(api: &Api, channel: String, slot: String) -> Result<Self, Problem> {
        let listed = api.registry.find(&channel).ok_or_else(|| Problem::no_channel(&channel))?;
        if listed.counts(&slot).is_some() {
            return Ok(Self { channel, slot });
        }
        let names: Vec<&str> = listed.slots.iter().map(|it| it.slot.as_str()).collect();
        let detail = format!("#{channel} has no slot {slot:?}; it has {}", names.join(", "));
        Err(Problem::new(StatusCode::NOT_FOUND, detail))
    }
}

/// Reads parts of a path. A part that is no UTF-8 is refused by its name.
async fn read<V: DeserializeOwned + Send>(parts: &mut Parts, api: &Arc<Api>) -> Result<V, Problem> {
    let read = Path::<V>::from_request_parts(parts, api).await;
    let wrong = |error: PathRejection| Problem::new(error.status(), error.body_text());
    read.map(|Path(parts)| parts).map_err(wrong)
}
