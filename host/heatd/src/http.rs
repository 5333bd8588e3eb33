//! What heatd serves by HTTP, on loopback: for machines the pages of [`probes`], for people the page at `/`, and the API.
//!
//! Reading order: [`routes`] is the table of everything that can be asked for, [`guard`] says who may, [`form`] how questions are read and answers
//! are written; guard and form know nothing of [`api`], which is what answers are made of. [`starting`] answers before that is there. [`path`] reads the channel and the slot that a
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
mod starting;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use heat_engine::Verification;
use tokio::net::TcpListener;

use crate::config::Http;
use crate::shutdown::Shutdown;

pub(crate) use api::Api;
pub(crate) use guard::access::ApiAccess;
use guard::access::{Gate, check};
use guard::host_check::HostCheck;
pub(crate) use guard::limits::AnswerLimits;
pub(crate) use starting::Site;

/// What is served at an address while the store is opened.
pub(crate) fn site(address: SocketAddr, http: &Http, verification: Verification) -> Site {
    Site::new(HostCheck::new(address, http.names.clone()), verification)
}

/// Serves until the shutdown.
pub(crate) async fn run(
    listener: TcpListener,
    site: Site,
    timeout: Duration,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    serve::serve(listener, || site.router(), timeout, shutdown).await
}

/// Heatd's parts are there: from now on everything is answered.
pub(crate) fn complete(site: &Site, api: Api, access: ApiAccess) {
    site.complete(router(Arc::new(api), Arc::new(access)));
}

/// Everything that is routed passes the gate, and what is no route as well: so nobody can forget it.
fn router(api: Arc<Api>, access: Arc<ApiAccess>) -> Router {
    let gate = Gate { access, who: routes::who };
    routes::router().layer(from_fn_with_state(gate, check)).with_state(api)
}
