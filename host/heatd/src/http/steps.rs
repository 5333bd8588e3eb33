//! Answers of what takes time: a line of JSON for each step, as they come; and answers of what is done at once, on a thread that may wait.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::problem::Problem;
use crate::control::{Progress, Refusal};

/// How many steps may wait for a slow reader. Progress beyond are left out, but not the end.
const WAITING: usize = 64;

/// Does something that takes time, and answers with its steps.
pub(super) fn stepwise(
    work: impl FnOnce(&Progress) -> Result<Value, Refusal> + Send + 'static,
) -> Response {
    let (lines, told) = mpsc::channel(WAITING);
    let steps = Progress::to(lines);
    spawn_blocking(move || {
        let done = work(&steps);
        steps.end(done);
    });
    let lines = unfold(told, |mut told| async move {
        let line: Value = told.recv().await?;
        Some((Ok::<_, Infallible>(format!("{line}\n")), told))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// Does something at once, and answers with what came of it.
pub(super) async fn at_once(
    work: impl FnOnce() -> Result<Value, Refusal> + Send + 'static,
) -> Result<Response, Problem> {
    blocking(move || {
        let page = work()?.to_string();
        Ok(([(header::CONTENT_TYPE, "application/json")], page).into_response())
    })
    .await
}

/// Answers on a thread that may wait.
pub(super) async fn blocking(
    work: impl FnOnce() -> Result<Response, Refusal> + Send + 'static,
) -> Result<Response, Problem> {
    let done = spawn_blocking(work).await.map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("heatd failed: {error}"))
    })?;
    Ok(done?)
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::Unknown(_) => StatusCode::NOT_FOUND,
            Refusal::Refused(_) => StatusCode::CONFLICT,
            Refusal::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Refusal::Gone => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, refusal.to_string())
    }
}
