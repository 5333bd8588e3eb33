//! What heatd serves by HTTP, on loopback: the router. For machines, without a token, [`probes`]. For people the page, at `/`. And the API.
//!
//! Reading order: [`guard`] says who may, [`form`] how questions are read and answers are written; neither knows [`api`], which is what
//! answers are made of. [`resources`] are the API's resources and the page, [`openapi`] describes them. [`serve`] bounds the connections.

mod api;
mod form;
#[cfg(test)]
mod fuzz;
mod guard;
mod openapi;
mod probes;
mod resources;
mod serve;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post, put};
use tokio::net::TcpListener;

use crate::live::LARGEST;
pub(crate) use api::Api;
use form::conditional;
use form::problem::{self, Problem};
pub(crate) use guard::access::Access;
pub(crate) use guard::limits::Seats;
use guard::{access, roles};
use resources::{
    backup, channels, command, config, emotes, page, past, rules, series, series_stream, status,
    stream, tokens, transfer, watch,
};

/// The largest body of a request, in bytes, where nothing that is asked for is long.
const LARGEST_BODY: usize = 64 << 10;

/// The largest body that may hold a recording and a component, in bytes.
const LARGEST_UPLOAD: usize = 96 << 20;

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
        .route("/channels/{channel}/live", get(series_stream::live))
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
        .layer(from_fn(conditional::pack))
        .layer(from_fn_with_state(Arc::clone(&access), access::check));
    Router::new()
        .route("/healthz", get(probes::alive))
        .route("/readyz", get(probes::ready))
        .route("/metrics", get(probes::figures))
        .layer(from_fn_with_state(access, access::only_here))
        .route("/api/v1/openapi.json", get(openapi::document).layer(from_fn(conditional::pack)))
        .nest(roles::API, guarded)
        .merge(page::routes())
        .with_state(api)
}
