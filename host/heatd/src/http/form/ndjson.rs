//! Work for an answer: on a thread that may wait, and where it takes long, with a line of JSON for each step of it.
//!
//! Each of these takes something to hold until the work has ended: the place among those that are answered at one time.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::control::{Refusal, Steps};
use crate::http::form::answer::JsonAnswer;
use crate::http::form::problem::Problem;

/// How many steps may wait for a slow reader. Steps beyond are left out, but not the end.
const WAITING: usize = 64;

/// Does something that takes time, and answers with its steps.
pub(crate) fn stepwise<V: Serialize>(
    held: impl Send + 'static,
    work: impl FnOnce(&Steps) -> Result<V, Refusal> + Send + 'static,
) -> Response {
    let (lines, told) = mpsc::channel(WAITING);
    let steps = Steps::to(lines);
    spawn_blocking(move || {
        // The head of the answer is sent at once, and the client may hang up: the work goes on, and must be counted until it ends.
        let _held = held;
        steps.end(work(&steps));
    });
    let lines = unfold(told, |mut told| async move {
        let line = told.recv().await?;
        Some((Ok::<_, Infallible>(line + "\n"), told))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// Does something at once, and answers with what came of it.
pub(crate) async fn at_once<V: Serialize + Send + 'static>(
    held: impl Send + 'static,
    work: impl FnOnce() -> Result<V, Refusal> + Send + 'static,
) -> Result<JsonAnswer<V>, Problem> {
    blocking(held, work).await.map(JsonAnswer)
}

/// Works on a thread that may wait.
pub(crate) async fn blocking<V: Send + 'static>(
    held: impl Send + 'static,
    work: impl FnOnce() -> Result<V, Refusal> + Send + 'static,
) -> Result<V, Problem> {
    let work = move || {
        // The client may hang up long before this ends.
        let _held = held;
        work()
    };
    let done = spawn_blocking(work).await.map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("heatd failed: {error}"))
    })?;
    Ok(done?)
}
