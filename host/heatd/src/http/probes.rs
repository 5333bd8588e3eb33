//! Pages for probes and scrapers, without a token:
//!
//! - `/healthz`: 200 while the engine does not hang, 503 otherwise,
//! - `/readyz`: 200 while every source is connected and the engine keeps up, 503 with the reasons otherwise,
//! - `/metrics`: the metrics, in the text format of Prometheus or of OpenMetrics, by Accept.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;

use crate::http::api::Api;
use crate::metrics::Format;

pub(crate) async fn alive(State(api): State<Arc<Api>>) -> impl IntoResponse {
    match api.metrics.health().hung(Instant::now()) {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

pub(crate) async fn ready(State(api): State<Arc<Api>>) -> impl IntoResponse {
    match api.metrics.health().not_ready(Instant::now()).as_slice() {
        [] => (StatusCode::OK, "ready\n".to_owned()),
        reasons => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", reasons.join("\n"))),
    }
}

pub(crate) async fn figures(State(api): State<Arc<Api>>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::asked_for(accept.unwrap_or_default());
    let page = api.metrics.page(format, api.queue(), api.store_bytes());
    ([(header::CONTENT_TYPE, format.content_type()), (header::VARY, "accept")], page)
}
