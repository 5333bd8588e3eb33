//! What heatd serves by HTTP, on loopback. For machines, without a token:
//!
//! - `/healthz`: 200 while the process serves at all and its engine does not hang,
//! - `/readyz`: 200 when every source is there and the engine keeps up, 503 with the reasons otherwise,
//! - `/metrics`: the figures, in Prometheus's text format or in that of OpenMetrics, as it is asked for.
//!
//! For people [`page`], at `/`. And the API: [`access`] says who may use it and [`roles`] what each may, [`status`], [`watch`], [`stream`], [`channels`], [`command`], [`rules`] and
//! [`past`] are its resources, [`series`], [`emotes`] and [`live_series`] what was counted, [`tokens`] those who hold a token. [`openapi`] describes them all. [`public`]
//! takes names out of answers, [`kept`] makes them small and says how long they hold. [`serve`] bounds the connections.

mod access;
mod asked;
mod backup;
mod channels;
mod command;
mod config;
mod declared;
mod emotes;
#[cfg(test)]
mod fuzz;
mod guesses;
mod hosts;
mod kept;
mod live_series;
mod news;
mod openapi;
mod pace;
mod page;
mod past;
mod problem;
mod public;
mod roles;
mod rules;
mod seats;
mod series;
mod serve;
mod status;
mod steps;
mod stream;
mod tokens;
mod transfer;
mod watch;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post, put};
use heat_engine::{Outputs, Statistics};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch as value};

use crate::backup::Backups;
use crate::control::channels::Channels;
use crate::control::{LARGEST, Live};
use crate::data::tokens::Tokens;
use crate::emotes::Shelves;
use crate::metrics::{Format, Metrics};
use crate::queue::Input;
use crate::shutdown::Shutdown;
use crate::view::feed::{Feed, States};
use crate::view::roster::Roster;
pub(crate) use access::Access;
use problem::Problem;
pub(crate) use seats::Seats;

/// The largest body of a request, in bytes, where nothing that is asked for is long.
const LARGEST_BODY: usize = 64 << 10;

/// The largest body that may hold a recording and a component, in bytes.
const LARGEST_UPLOAD: usize = 96 << 20;

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
    pub(crate) channels: Arc<Channels>,
    /// What was counted over time; there once the engine is.
    pub(crate) statistics: Arc<OnceLock<Statistics>>,
    /// The sets of emotes. None: no provider is asked.
    pub(crate) shelves: Option<Shelves>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) seats: Seats,
    pub(crate) backups: Arc<Backups>,
}

impl Api {
    fn statistics(&self) -> Result<Statistics, Problem> {
        let starting =
            || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "heatd is starting; ask again");
        self.statistics.get().cloned().ok_or_else(starting)
    }

    /// How many events wait for the engine, and how many may.
    fn queue(&self) -> (usize, usize) {
        let waiting = |inputs: mpsc::Sender<Input>| {
            (inputs.max_capacity() - inputs.capacity(), inputs.max_capacity())
        };
        self.inputs.upgrade().map(waiting).unwrap_or_default()
    }

    fn store_bytes(&self) -> u64 {
        std::fs::metadata(&self.store).map_or(0, |store| store.len())
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

/// The same, or of one that was removed: what it has counted is there.
fn counted(api: &Api, written: &str) -> Result<String, Problem> {
    let name = written.trim_start_matches('#').to_lowercase();
    if api.roster.removed().contains_key(&name) { Ok(name) } else { channel(api, written) }
}

/// Serves until the shutdown.
pub(crate) async fn run(listener: TcpListener, api: Api, access: Access) -> anyhow::Result<()> {
    let (shutdown, patience) = (api.shutdown.clone(), access.patience);
    serve::serve(listener, router(Arc::new(api), Arc::new(access)), patience, shutdown).await
}

fn router(api: Arc<Api>, access: Arc<Access>) -> Router {
    let large = Router::new()
        .route("/channels/{channel}/rules/{slot}", put(rules::deploy))
        .route("/channels/{channel}/rules/{slot}/shadow", post(rules::shadow))
        .layer(DefaultBodyLimit::max(LARGEST))
        .route(
            "/channels/{channel}/replay",
            post(past::replay).layer(DefaultBodyLimit::max(LARGEST_UPLOAD)),
        )
        .route(
            "/channels/{channel}/import",
            post(transfer::import).layer(DefaultBodyLimit::max(transfer::LARGEST_GROUP)),
        );
    let guarded = Router::new()
        .route("/status", get(status::answer))
        .route("/backup", get(backup::send).post(backup::make))
        .route("/watch", get(watch::watch))
        .route("/whoami", get(tokens::whoami))
        .route("/tokens", get(tokens::list).post(tokens::add))
        .route("/tokens/{name}", delete(tokens::revoke))
        .route("/channels", get(channels::list).post(channels::add))
        .route("/channels/{channel}", delete(channels::remove))
        .route("/channels/{channel}/stream", post(stream::change))
        .route("/channels/{channel}/command", post(command::give))
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
        .route("/channels/{channel}/emotes", get(emotes::list))
        .route("/channels/{channel}/faves", get(series::faves))
        .route("/channels/{channel}/streams", get(series::streams))
        .route("/channels/{channel}/live", get(live_series::live))
        .route("/channels/{channel}/undo", post(past::undo))
        .route("/channels/{channel}/forget", post(transfer::forget))
        .route("/export", get(transfer::export))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .merge(large)
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "the API has no such resource") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this resource has no such method")
        })
        .layer(from_fn(problem::tell))
        .layer(from_fn(kept::pack))
        .layer(from_fn_with_state(Arc::clone(&access), access::check));
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .layer(from_fn_with_state(access, access::only_here))
        .route("/api/v1/openapi.json", get(openapi::document).layer(from_fn(kept::pack)))
        .nest(roles::API, guarded)
        .merge(page::routes())
        .with_state(api)
}

async fn alive(State(api): State<Arc<Api>>) -> impl IntoResponse {
    match api.metrics.health().hung(Instant::now()) {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn ready(State(api): State<Arc<Api>>) -> impl IntoResponse {
    match api.metrics.health().not_ready(Instant::now()).as_slice() {
        [] => (StatusCode::OK, "ready\n".to_owned()),
        reasons => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", reasons.join("\n"))),
    }
}

async fn figures(State(api): State<Arc<Api>>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let format = Format::asked_for(accept.unwrap_or_default());
    let page = api.metrics.page(format, api.queue(), api.store_bytes());
    ([(header::CONTENT_TYPE, format.content_type()), (header::VARY, "accept")], page)
}
