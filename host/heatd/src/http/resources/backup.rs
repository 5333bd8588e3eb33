//! `POST /api/v1/backup` makes a backup in heatd's folder for them; `GET` makes one and sends it.

use std::io::Read;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::backup::{Made, Passing};
use crate::http::api::Api;
use crate::http::form::ndjson::stepwise;
use crate::http::form::problem::Problem;

/// How much is sent at once, in bytes, and how many such pieces wait for a slow reader.
const PIECE: usize = 64 << 10;
const WAITING: usize = 4;

pub(crate) async fn make(State(api): State<Arc<Api>>) -> Response {
    let backups = Arc::clone(&api.backups);
    stepwise(move |steps| backups.ask(steps).map(|made| told(&made)))
}

fn told(made: &Made) -> Value {
    let faves: Map<String, Value> =
        made.contents.faves.iter().map(|(name, faves)| (name.clone(), (*faves).into())).collect();
    let file = made.listed.file.display().to_string();
    let mut told = json!({
        "done": format!("the backup {file} is made and verified"),
        "file": file, "bytes": made.listed.bytes, "rows": made.contents.rows,
        "newest": made.contents.newest, "faves": faves,
    });
    match &made.also {
        Some(Ok(also)) => told["also"] = also.display().to_string().into(),
        Some(Err(problem)) => told["also_failed"] = problem.as_str().into(),
        None => {}
    }
    told
}

pub(crate) async fn send(State(api): State<Arc<Api>>) -> Result<Response, Problem> {
    let backups = Arc::clone(&api.backups);
    let made = spawn_blocking(move || backups.pass()).await.map_err(|error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("heatd failed: {error}"))
    })?;
    let passing = made?;
    let head = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, passing.bytes.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", passing.name)),
    ];
    let (pieces, sent) = mpsc::channel(WAITING);
    spawn_blocking(move || read(passing, &pieces));
    let pieces = unfold(sent, |mut sent| async move { Some((sent.recv().await?, sent)) });
    Ok((head, Body::from_stream(pieces)).into_response())
}

/// Reads the backup to its end, or until nobody wants more. It is gone then.
fn read(mut passing: Passing, pieces: &mpsc::Sender<std::io::Result<Bytes>>) {
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let piece = match passing.file.by_ref().take(PIECE as u64).read_to_end(&mut piece) {
            Ok(0) => return,
            Ok(_) => Ok(Bytes::from(piece)),
            Err(error) => Err(error),
        };
        let failed = piece.is_err();
        if pieces.blocking_send(piece).is_err() || failed {
            return;
        }
    }
}
