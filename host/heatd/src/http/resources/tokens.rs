//! Tokens: owners make, list and revoke them. `GET /whoami` tells everybody about their own.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use heat_engine::Action;
use serde::{Deserialize, Serialize};

use crate::clock::now;
use crate::control::{Error, MessageAnswer};
use crate::data::role::Role;
use crate::data::tokens::{Caller, OWNER, TokenEntry};
use crate::http::api::Api;
use crate::http::form::answer::JsonAnswer;
use crate::http::form::body::JsonBody;
use crate::http::form::ndjson::at_once;
use crate::http::form::problem::Problem;
use crate::http::guard::limits::Place;

#[derive(Serialize)]
struct TokenPage {
    tokens: Vec<TokenEntry>,
}

/// A new token with its secret, which is shown this once.
#[derive(Serialize)]
struct MadeToken {
    #[serde(flatten)]
    token: TokenEntry,
    #[serde(rename = "token")]
    secret: String,
}

/// Whose token it is, and what it may do.
#[derive(Serialize)]
struct WhoamiPage {
    name: String,
    role: Role,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    role: Role,
    name: Option<String>,
    /// In milliseconds from now. None: it never expires.
    expires_in: Option<u64>,
}

/// `POST /tokens`
pub(crate) async fn add(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    JsonBody(request): JsonBody<TokenRequest>,
) -> Result<impl IntoResponse, Problem> {
    let made = at_once(place, move || {
        let expires_at = request.expires_in.map(|time| now().saturating_add(time));
        let (token, secret) =
            api.tokens.add(request.name, request.role, expires_at).map_err(Error::because)?;
        let note = format!("{} is made, {}", token.name, token.role.name());
        api.live.note("", Action::Token, &caller.name, &note)?;
        Ok(MadeToken { token, secret })
    });
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], made.await?))
}

/// `GET /tokens`
pub(crate) async fn list(State(api): State<Arc<Api>>) -> impl IntoResponse {
    JsonAnswer(TokenPage { tokens: api.tokens.list() })
}

/// `DELETE /tokens/{name}`
pub(crate) async fn revoke(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    place: Place,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    if name == OWNER {
        let detail = "that is the token of the data folder: stop heatd, delete api.token there, and start heatd, which makes another";
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    at_once(place, move || {
        if !api.tokens.revoke(&name).map_err(Error::because)? {
            return Err(Error::Unknown(format!("there is no token {name:?}")));
        }
        api.live.note("", Action::Token, &caller.name, &format!("{name} is revoked"))?;
        Ok(MessageAnswer::new(format!("the token {name} opens nothing any more")))
    })
    .await
}

/// `GET /whoami`
pub(crate) async fn whoami(Extension(caller): Extension<Caller>) -> impl IntoResponse {
    JsonAnswer(WhoamiPage { name: caller.name, role: caller.role })
}
