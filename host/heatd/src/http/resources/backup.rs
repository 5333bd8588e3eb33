//! `POST /backup` makes a backup in the folder for backups; `GET /backup` makes one and sends it.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::backup::{Made, Passing};
use crate::http::api::Api;
use crate::http::form::ndjson::{blocking, stepwise};
use crate::http::form::problem::Problem;
use crate::http::guard::limits::Place;

/// The size of a piece that is sent, in bytes, and how many pieces wait for a slow reader.
const PIECE: usize = 64 << 10;
const WAITING: usize = 4;

/// A backup that was made and verified.
#[derive(Serialize)]
struct MadeBackup {
    message: String,
    file: String,
    bytes: u64,
    rows: u64,
    /// Time of the newest record in it.
    newest: Option<u64>,
    /// Faves by channel.
    faves: BTreeMap<String, u64>,
    /// The copy in the second folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    also: Option<String>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    also_failed: Option<String>,
}

impl MadeBackup {
    fn of(made: Made) -> Self {
        let file = made.listed.file.display().to_string();
        let (also, also_failed) = match made.also {
            Some(Ok(also)) => (Some(also.display().to_string()), None),
            Some(Err(problem)) => (None, Some(problem)),
            None => (None, None),
        };
        Self {
            message: format!("the backup {file} is made and verified"),
            file,
            bytes: made.listed.bytes,
            rows: made.contents.rows,
            newest: made.contents.newest,
            faves: made.contents.faves.into_iter().collect(),
            also,
            also_failed,
        }
    }
}

/// `POST /backup`
pub(crate) async fn make(State(api): State<Arc<Api>>, place: Place) -> Response {
    let backups = Arc::clone(&api.backups);
    stepwise(place, move |progress| backups.ask(progress).map(MadeBackup::of))
}

/// `GET /backup`
pub(crate) async fn send(State(api): State<Arc<Api>>, place: Place) -> Result<Response, Problem> {
    let backups = Arc::clone(&api.backups);
    let passing = blocking(place.clone(), move || backups.pass()).await?;
    let head = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, passing.bytes.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", passing.name)),
    ];
    let (pieces, sent) = mpsc::channel(WAITING);
    spawn_blocking(move || {
        let _place = place;
        read(passing, &pieces);
    });
    let pieces = unfold(sent, |mut sent| async move { Some((sent.recv().await?, sent)) });
    Ok((head, Body::from_stream(pieces)).into_response())
}

/// Reads the backup to its end, or until the client is gone. Its file is deleted then.
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
