//! What the body of a request is read as: JSON, or a component.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::http::form::problem::Problem;
use crate::live::Source;

/// A component, or what is live with other settings.
pub(crate) fn source(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Source, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // A type may have parameters: application/json; charset=utf-8.
    match kind.and_then(|kind| kind.split(';').next()).map(str::trim) {
        Some(kind) if kind.eq_ignore_ascii_case("application/json") => {
            Ok(Source::Settings(json_of(body)?))
        }
        _ => Ok(Source::Component(component(body)?)),
    }
}

pub(crate) fn component(body: Result<Bytes, BytesRejection>) -> Result<Arc<[u8]>, Problem> {
    let body = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    Ok(Arc::from(&body[..]))
}

/// A body of JSON; an empty one is an empty object.
pub(crate) fn json_of<V: for<'a> Deserialize<'a>>(
    body: Result<Bytes, BytesRejection>,
) -> Result<V, Problem> {
    let body = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
    serde_json::from_slice(text).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the body is not what is expected: {error}"))
    })
}
