//! The tokens: made, listed, revoked. For owners.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use heat_engine::Action;
use serde::Deserialize;
use serde_json::json;

use super::Api;
use super::problem::Problem;
use super::rules::json_of;
use super::steps::at_once;
use crate::clock::now;
use crate::control::Error;
use crate::data::role::Role;
use crate::data::tokens::{Caller, OWNER};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    role: Role,
    name: Option<String>,
    /// In so many milliseconds it expires.
    expires_in: Option<u64>,
}

/// `POST /tokens`
pub(super) async fn add(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let wish: Wish = json_of(body)?;
    let mut answer = at_once(move || {
        let expires = wish.expires_in.map(|time| now().saturating_add(time));
        let (told, secret) =
            api.tokens.add(wish.name, wish.role, expires).map_err(Error::because)?;
        let note = format!("{} is made, {}", told.name, told.role.name());
        api.live.note("", Action::Token, &caller.name, &note)?;
        let mut page = json!(told);
        page["token"] = secret.into();
        Ok(page)
    })
    .await?;
    let never = header::HeaderValue::from_static("no-store");
    answer.headers_mut().insert(header::CACHE_CONTROL, never);
    Ok(answer)
}

/// `GET /tokens`
pub(super) async fn list(State(api): State<Arc<Api>>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        json!({ "tokens": api.tokens.list() }).to_string(),
    )
}

/// `DELETE /tokens/{name}`
pub(super) async fn revoke(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    if name == OWNER {
        let detail = "that is the token of the data folder: stop heatd, delete api.token there, and start heatd, which makes another";
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    }
    at_once(move || {
        if !api.tokens.revoke(&name).map_err(Error::because)? {
            return Err(Error::Unknown(format!("there is no token {name:?}")));
        }
        api.live.note("", Action::Token, &caller.name, &format!("{name} is revoked"))?;
        Ok(json!({ "done": format!("the token {name} opens nothing any more") }))
    })
    .await
}

/// `GET /whoami`: whose token it is, and what it may do.
pub(super) async fn whoami(Extension(caller): Extension<Caller>) -> impl IntoResponse {
    let page = json!({ "name": caller.name, "role": caller.role });
    ([(header::CONTENT_TYPE, "application/json")], page.to_string())
}
