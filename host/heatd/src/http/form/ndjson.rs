//! Runs work for an answer on a thread that may block. Long work answers with a line of JSON for each step.
//!
//! The work can outlive the request: a client may hang up. So each function takes a value to hold until the work ends, such as the place among the
//! requests that are answered at one time.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::control::{Error, Progress};
use crate::http::form::answer::JsonAnswer;
use crate::http::form::problem::Problem;

/// How many steps are kept for a slow reader. Further steps are dropped; the last line never is.
const WAITING: usize = 64;

/// Runs long work, and answers with its steps.
pub(crate) fn stepwise<V: Serialize>(
    held: impl Send + 'static,
    work: impl FnOnce(&Progress) -> Result<V, Error> + Send + 'static,
) -> Response {
    let (lines, told) = mpsc::channel(WAITING);
    let progress = Progress::to(lines);
    spawn_blocking(move || {
        // Until the work ends, not until the answer begins: its head is sent at once.
        let _held = held;
        progress.end(work(&progress));
    });
    let lines = unfold(told, |mut told| async move {
        let line = told.recv().await?;
        Some((Ok::<_, Infallible>(line + "\n"), told))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// Runs short work, and answers with its result as JSON.
pub(crate) async fn at_once<V: Serialize + Send + 'static>(
    held: impl Send + 'static,
    work: impl FnOnce() -> Result<V, Error> + Send + 'static,
) -> Result<JsonAnswer<V>, Problem> {
    blocking(held, work).await.map(JsonAnswer)
}

/// Runs work on a thread that may block.
pub(crate) async fn blocking<V: Send + 'static>(
    held: impl Send + 'static,
    work: impl FnOnce() -> Result<V, Error> + Send + 'static,
) -> Result<V, Problem> {
    let work = move || {
        let _held = held;
        work()
    };
    let done = spawn_blocking(work).await.map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("heatd failed: {error}"))
    })?;
    Ok(done?)
}
