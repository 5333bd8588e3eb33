//! `GET /devlog`: the raw log as server-sent events, one JSON object each: first the last minutes, then what comes. For owners: it is no page for viewers.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::unfold;
use serde_json::json;
use tokio::sync::broadcast;

use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::problem::Problem;
use crate::http::form::query::{Query, wrong};
use crate::shutdown::Shutdown;
use crate::view::raw_log::{RawEntry, RawKind};

/// How often an empty event shows that the connection is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// What somebody wants to see.
struct RawFilter {
    /// Empty: all kinds.
    kinds: Vec<RawKind>,
    /// None: all channels.
    channel: Option<String>,
}

impl RawFilter {
    fn has(&self, entry: &RawEntry) -> bool {
        let of_kind = self.kinds.is_empty() || self.kinds.contains(&entry.kind);
        let of_channel = self.channel.is_none() || entry.channel == self.channel;
        of_kind && of_channel
    }
}

/// Somebody who looks.
struct Looker {
    wanted: RawFilter,
    waiting: VecDeque<Arc<RawEntry>>,
    /// None: only what is there.
    live: Option<broadcast::Receiver<Arc<RawEntry>>>,
    shutdown: Shutdown,
}

impl Looker {
    /// The next entry as JSON, or how many were missed. None at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(entry) = self.waiting.pop_front() {
                if self.wanted.has(&entry) {
                    // Strings and numbers, which always become JSON.
                    return Some(serde_json::to_string(&*entry).unwrap_or_default());
                }
                continue;
            }
            let live = self.live.as_mut()?;
            let told = tokio::select! {
                told = live.recv() => told,
                () = self.shutdown.begun() => return None,
            };
            match told {
                Ok(entry) => self.waiting.push_back(entry),
                Err(broadcast::error::RecvError::Lagged(entries)) => {
                    return Some(json!({ "kind": "missed", "entries": entries }).to_string());
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

/// `GET /devlog`
pub(crate) async fn follow(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<impl IntoResponse, Problem> {
    let channel = query.channel()?;
    let mut kinds = Vec::new();
    for name in query.all("kind") {
        let kind = RawKind::of_name(&name);
        kinds.push(
            kind.ok_or_else(|| wrong("kind", "it is one of irc, eventsub, mqtt, helix, decision"))?,
        );
    }
    let follow = query.choice("follow", ["true", "false"])? == "true";
    query.end()?;
    let Some(permit) = api.limits.watch(caller.role) else {
        return Err(Problem::too_many_watch(caller.role.name()));
    };
    let (kept, live) = api.raw_log.open();
    let looker = Looker {
        wanted: RawFilter { kinds, channel },
        waiting: kept.into(),
        live: follow.then_some(live),
        shutdown: api.shutdown.clone(),
    };
    let ended = Box::pin(Arc::clone(&api.tokens).ended(caller));
    let stream = unfold((looker, ended, permit), |(mut looker, mut ended, permit)| async move {
        let line = tokio::select! {
            () = &mut ended => None,
            line = looker.next() => line,
        }?;
        Some((Ok::<_, Infallible>(Event::default().data(line)), (looker, ended, permit)))
    });
    let stream = Sse::new(stream).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE));
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], stream))
}
