//! What heatd serves by HTTP, on loopback: for machines the pages of [`probes`], for people the page at `/`, and the API.
//!
//! Reading order: [`routes`] is the table of everything that can be asked for, [`guard`] says who may, [`form`] how questions are read and answers
//! are written; guard and form know nothing of [`api`], which is what answers are made of. [`path`] reads the channel and the slot that a
//! resource is of. [`resources`] are the handlers, [`openapi`] describes them for programs. [`serve`] bounds the connections.

mod api;
mod form;
#[cfg(test)]
mod fuzz;
mod guard;
mod openapi;
mod path;
mod probes;
mod resources;
mod routes;
mod serve;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;

pub(crate) use api::Api;
pub(crate) use guard::access::ApiAccess;
use guard::access::{Gate, check};
pub(crate) use guard::limits::AnswerLimits;

/// Serves until the shutdown.
pub(crate) async fn run(listener: TcpListener, api: Api, access: ApiAccess) -> anyhow::Result<()> {
    let (shutdown, timeout) = (api.shutdown.clone(), access.timeout);
    serve::serve(listener, router(Arc::new(api), Arc::new(access)), timeout, shutdown).await
}

/// Everything that is routed passes the gate, and what is no route as well: so nobody can forget it.
fn router(api: Arc<Api>, access: Arc<ApiAccess>) -> Router {
    let gate = Gate { access, who: routes::who };
    routes::router().layer(from_fn_with_state(gate, check)).with_state(api)
}
