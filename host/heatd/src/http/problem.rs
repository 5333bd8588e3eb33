//! Errors of the API, as problem details (RFC 9457): for machines, with a sentence for people.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// What is wrong with a request, or with heatd.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    pub(super) fn too_many_watch(role: &str) -> Self {
        let detail = format!(
            "as many watch already as may watch with the role {role}; close a watch that nobody needs"
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    pub(super) fn no_channel(channel: &str) -> Self {
        let detail = format!("heatd has no channel {channel:?}; heat channels list shows them");
        Self::new(StatusCode::NOT_FOUND, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let kind = (header::CONTENT_TYPE, "application/problem+json");
        let mut answer = (self.status, [kind], body.to_string()).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = header::HeaderValue::from_static("Bearer");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        answer
    }
}
