//! `GET /audit`: who changed what, newest first.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use heat_engine::{AuditEntry, Digest};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::control::as_json;
use crate::http::api::Api;
use crate::http::form::ndjson::at_once;
use crate::http::form::problem::Problem;
use crate::http::form::query::Query;
use crate::http::guard::limits::Place;

/// How many entries an answer has when nobody says how many, and how many it may have.
pub(crate) const ENTRIES: usize = 50;
pub(crate) const MOST_ENTRIES: usize = 10_000;

/// Filters entries and dead letters by channel and slot.
pub(crate) struct SlotFilter {
    channel: Option<String>,
    slot: Option<String>,
}

impl SlotFilter {
    pub(crate) fn read(query: &mut Query) -> Result<Self, Problem> {
        Ok(Self { channel: query.channel()?, slot: query.one("slot")? })
    }

    pub(crate) fn has(&self, channel: &str, slot: &str) -> bool {
        self.channel.as_ref().is_none_or(|it| it == channel)
            && self.slot.as_ref().is_none_or(|it| it == slot)
    }
}

#[derive(Serialize)]
struct AuditPage {
    entries: Vec<AuditRow>,
}

/// An entry of the audit log.
#[derive(Serialize)]
struct AuditRow {
    number: u64,
    at: u64,
    /// Empty where it concerns no channel.
    channel: String,
    slot: String,
    action: &'static str,
    by: String,
    from: Option<String>,
    to: Option<String>,
    settings: Map<String, Value>,
    refused: Option<String>,
    note: String,
}

impl AuditRow {
    fn of(number: u64, entry: AuditEntry) -> Self {
        let hex = |digest: Option<Digest>| digest.map(|digest| digest.to_string());
        Self {
            number,
            at: entry.at,
            channel: entry.channel,
            slot: entry.slot,
            action: entry.action.name(),
            by: entry.by,
            from: hex(entry.from),
            to: hex(entry.to),
            settings: entry.given.into_iter().map(|(name, it)| (name, as_json(&it))).collect(),
            refused: entry.refused,
            note: entry.note,
        }
    }
}

/// `GET /audit`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    place: Place,
    mut query: Query,
) -> Result<impl IntoResponse, Problem> {
    let filter = SlotFilter::read(&mut query)?;
    let most = query.count("count", ENTRIES, MOST_ENTRIES)?;
    query.end()?;
    let live = api.live.clone();
    at_once(place, move || {
        let snapshot =
            live.on_engine_thread("audit.snapshot", |access| access.engine.snapshot())?;
        let entries = snapshot.audit(usize::MAX)?.into_iter();
        let entries = entries.filter(|(_, it)| filter.has(&it.channel, &it.slot)).take(most);
        Ok(AuditPage { entries: entries.map(|(number, it)| AuditRow::of(number, it)).collect() })
    })
    .await
}
