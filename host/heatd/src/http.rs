//! The pages for machines, on loopback:
//!
//! - `/healthz`: 200 while the process serves at all,
//! - `/readyz`: 200 when chat and broker are connected, 503 with the reasons otherwise,
//! - `/metrics`: the figures, in the OpenMetrics text format.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

/// Serves until the shutdown.
pub(crate) async fn run(
    listener: TcpListener,
    metrics: Metrics,
    mut shutdown: Shutdown,
) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(page))
        .with_state(metrics);
    axum::serve(listener, router)
        .with_graceful_shutdown(async move { shutdown.begun().await })
        .await?;
    Ok(())
}

async fn ready(State(metrics): State<Metrics>) -> impl IntoResponse {
    match metrics.not_ready().as_slice() {
        [] => (StatusCode::OK, "ready\n".to_owned()),
        reasons => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", reasons.join("\n"))),
    }
}

async fn page(State(metrics): State<Metrics>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")],
        metrics.page(),
    )
}
