//! What the body of a request is read as: JSON, a component, or bytes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::control::Source;
use crate::http::form::problem::Problem;

/// A body as it came, within the limit of its route.
pub(crate) struct RawBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await;
        body.map(Self).map_err(|error| Problem::new(error.status(), error.body_text()))
    }
}

/// A body of JSON.
pub(crate) struct JsonBody<V>(pub(crate) V);

impl<S: Send + Sync, V: DeserializeOwned> FromRequest<S> for JsonBody<V> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let RawBody(body) = RawBody::from_request(request, state).await?;
        json(&body).map(Self)
    }
}

/// Reads JSON; an empty body is an empty object.
pub(crate) fn json<V: DeserializeOwned>(body: &[u8]) -> Result<V, Problem> {
    let text = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the body is not what is expected: {error}"))
    })
}

/// A component, or other settings for what is live: the type of the body says which.
pub(crate) fn source(headers: &HeaderMap, body: &[u8]) -> Result<Source, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // A type may have parameters: application/json; charset=utf-8.
    match kind.and_then(|kind| kind.split(';').next()).map(str::trim) {
        Some(kind) if kind.eq_ignore_ascii_case("application/json") => {
            Ok(Source::Settings(json(body)?))
        }
        _ => Ok(Source::Component(Arc::from(body))),
    }
}
