//! What heatd serves by HTTP, on loopback. For machines, without a token:
//!
//! - `/healthz`: 200 while the process serves at all,
//! - `/readyz`: 200 when chat and broker are connected, 503 with the reasons otherwise,
//! - `/metrics`: the figures, in the OpenMetrics text format.
//!
//! For people [`page`], at `/`. And the API, for who has the token: [`access`] says who, [`status`], [`watch`] and [`stream`] are its resources.

mod access;
mod asked;
mod config;
mod declared;
mod guesses;
mod live_series;
mod page;
mod past;
mod problem;
mod rules;
mod series;
mod status;
mod steps;
mod stream;
mod watch;

use std::future::IntoFuture;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{get, post, put};
use heat_engine::{Outputs, Statistics};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch as value};
use tokio::time::sleep;

use crate::decider::Input;
use crate::feed::{Feed, States};
use crate::live::{LARGEST, Live};
use crate::metrics::Metrics;
use crate::roster::Roster;
use crate::shutdown::Shutdown;
pub(crate) use access::Access;
use problem::Problem;

/// The largest body of a request, in bytes, where nothing that is asked for is long.
const LARGEST_BODY: usize = 64 << 10;

/// The largest body that may hold a recording and a component, in bytes.
const LARGEST_UPLOAD: usize = 96 << 20;

/// How long answers that are under way may take once heatd stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// What the pages are made of.
pub(crate) struct Api {
    pub(crate) metrics: Metrics,
    pub(crate) roster: Arc<Roster>,
    pub(crate) feed: Feed,
    pub(crate) outputs: value::Receiver<Arc<Outputs>>,
    pub(crate) states: value::Receiver<Arc<States>>,
    pub(crate) inputs: mpsc::WeakSender<Input>,
    /// The file of the store.
    pub(crate) store: PathBuf,
    pub(crate) started: Instant,
    pub(crate) shutdown: Shutdown,
    pub(crate) live: Live,
    /// What was counted over time; there once the engine is.
    pub(crate) statistics: Arc<OnceLock<Statistics>>,
}

impl Api {
    fn statistics(&self) -> Result<Statistics, Problem> {
        let starting =
            || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "heatd is starting; ask again");
        self.statistics.get().cloned().ok_or_else(starting)
    }
}

/// The login of a channel that heatd has, however it was written.
fn channel(api: &Api, written: &str) -> Result<String, Problem> {
    let name = written.trim_start_matches('#').to_lowercase();
    match api.roster.find(&name) {
        Some(_) => Ok(name),
        None => Err(Problem::no_channel(&name)),
    }
}

/// Serves until the shutdown.
pub(crate) async fn run(listener: TcpListener, api: Api, access: Access) -> anyhow::Result<()> {
    let (mut shutdown, mut end) = (api.shutdown.clone(), api.shutdown.clone());
    let served = axum::serve(listener, router(Arc::new(api), Arc::new(access)))
        .with_graceful_shutdown(async move { shutdown.begun().await });
    tokio::select! {
        served = served.into_future() => served?,
        // A watcher that does not read would hold up the shutdown.
        () = async { end.begun().await; sleep(FAREWELL).await } => {}
    }
    Ok(())
}

fn router(api: Arc<Api>, access: Arc<Access>) -> Router {
    let large = Router::new()
        .route("/channels/{channel}/rules/{slot}", put(rules::deploy))
        .route("/channels/{channel}/rules/{slot}/shadow", post(rules::shadow))
        .layer(DefaultBodyLimit::max(LARGEST))
        .route(
            "/channels/{channel}/replay",
            post(past::replay).layer(DefaultBodyLimit::max(LARGEST_UPLOAD)),
        );
    let guarded = Router::new()
        .route("/status", get(status::answer))
        .route("/watch", get(watch::watch))
        .route("/channels/{channel}/stream", post(stream::change))
        .route("/rules", get(rules::list))
        .route("/history", get(past::history))
        .route("/letters", get(past::letters))
        .route("/config/diff", get(config::diff))
        .route("/config/export", get(config::export))
        .route("/channels/{channel}/rules/{slot}/settings", post(rules::settings))
        .route("/channels/{channel}/rules/{slot}/{action}", post(rules::act))
        .route("/channels/{channel}/simulate", post(past::simulate))
        .route("/channels/{channel}/why", get(past::why))
        .route("/channels/{channel}/series", get(series::points))
        .route("/channels/{channel}/emotes", get(series::emotes))
        .route("/channels/{channel}/faves", get(series::faves))
        .route("/channels/{channel}/live", get(live_series::live))
        .route("/channels/{channel}/undo", post(past::undo))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .merge(large)
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "the API has no such resource") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this resource has no such method")
        })
        .layer(from_fn_with_state(access, access::check));
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .nest("/api/v1", guarded)
        .merge(page::routes())
        .with_state(api)
}

async fn ready(State(api): State<Arc<Api>>) -> impl IntoResponse {
    match api.metrics.not_ready().as_slice() {
        [] => (StatusCode::OK, "ready\n".to_owned()),
        reasons => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", reasons.join("\n"))),
    }
}

async fn figures(State(api): State<Arc<Api>>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")],
        api.metrics.page(),
    )
}
