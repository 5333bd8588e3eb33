//! What is answered before heatd's parts are there, while a large store is verified: that heatd is alive, and how far it is.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use heat_engine::Verification;

use crate::http::form::problem::Problem;
use crate::http::guard::host_check::HostCheck;

/// The pages for machines that are there from the beginning.
const ALIVE: &str = "/healthz";
const READY: &str = "/readyz";

/// Everything that is served: what a start can tell, and all of it as soon as that is there.
#[derive(Clone)]
pub(crate) struct Site(Arc<Pages>);

struct Pages {
    whole: OnceLock<Router>,
    hosts: HostCheck,
    verification: Verification,
}

impl Site {
    pub(crate) fn new(hosts: HostCheck, verification: Verification) -> Self {
        Self(Arc::new(Pages { whole: OnceLock::new(), hosts, verification }))
    }

    /// From now on everything is answered.
    pub(super) fn complete(&self, whole: Router) {
        // There is one start.
        let _ = self.0.whole.set(whole);
    }

    /// What the next connection is answered with.
    pub(super) fn router(&self) -> Router {
        self.0.whole.get().cloned().unwrap_or_else(|| self.of_start())
    }

    /// What a start can tell. It passes a gate as everything does; there are no tokens yet.
    fn of_start(&self) -> Router {
        Router::new()
            .route(ALIVE, get(|| async { "ok\n" }))
            .route(READY, get(not_ready))
            .fallback(not_yet)
            .layer(from_fn_with_state(self.clone(), check))
            .with_state(self.clone())
    }

    /// What the start is at, for people.
    fn at(&self) -> String {
        match self.0.verification.percent() {
            Some(percent) => format!("the store is being verified, {percent} %"),
            None => "the store is being opened".to_owned(),
        }
    }
}

async fn check(State(site): State<Site>, request: Request, next: Next) -> Response {
    let hosts = &site.0.hosts;
    let passed = match request.uri().path() {
        ALIVE | READY => hosts.check_machine(request.headers()),
        _ => hosts.check(request.headers()),
    };
    let mut answer = match passed {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    // A connection keeps what it began with, so none outlives the start.
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

async fn not_ready(State(site): State<Site>) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", site.at())).into_response()
}

async fn not_yet(State(site): State<Site>) -> Problem {
    let detail = format!("heatd is starting: {}; ask again in a while", site.at());
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
}
