//! Errors of the API, as problem details (RFC 9457): for machines, with a sentence for people.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::control::Error;
use crate::http::form::conditional::NEVER;

/// The most bytes of a message of axum that are passed on.
const LONGEST_WORDS: usize = 4096;

/// Why a request is not answered with what it asks for.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
}

/// The fields of problem details that heatd has.
#[derive(Serialize)]
struct Details<'a> {
    title: &'a str,
    status: u16,
    /// A sentence for people: what is wrong, and what to do.
    detail: &'a str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// The problem of a parameter of the query.
    pub(crate) fn of_parameter(status: StatusCode, name: &str, why: &str) -> Self {
        Self::new(status, format!("the parameter `{name}`: {why}"))
    }

    /// What is wrong, and what to do.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn too_many_watch(role: &str) -> Self {
        let detail = format!(
            "as many watch already as may watch with the role {role}; close a watch that nobody needs"
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    pub(crate) fn no_channel(channel: &str) -> Self {
        let detail = format!("heatd has no channel {channel:?}; heat channels list shows them");
        Self::new(StatusCode::NOT_FOUND, detail)
    }
}

/// Turns refusals of axum itself, such as of a path that is no UTF-8, into problems. Its message names the part that is wrong.
pub(crate) async fn tell(request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    let status = answer.status();
    let is_refused = status.is_client_error() || status.is_server_error();
    let is_plain = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !is_refused || !is_plain {
        return answer;
    }
    let words = to_bytes(answer.into_body(), LONGEST_WORDS).await.unwrap_or_default();
    Problem::new(status, String::from_utf8_lossy(&words)).into_response()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let details = Details { title, status: self.status.as_u16(), detail: &self.detail };
        // Texts and a number always become JSON.
        let body = serde_json::to_string(&details).unwrap_or_default();
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let head = [kind, (header::CACHE_CONTROL, NEVER)];
        let mut answer = (self.status, head, body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        answer
    }
}

impl From<Error> for Problem {
    fn from(refusal: Error) -> Self {
        let status = match &refusal {
            Error::Unknown(_) => StatusCode::NOT_FOUND,
            Error::Refused(_) => StatusCode::CONFLICT,
            Error::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Error::Gone => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, refusal.to_string())
    }
}
