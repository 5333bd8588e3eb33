//! The OpenAPI document of the API, at `GET /openapi.json`. It needs no token, because nothing in it is secret.
//!
//! Resources and schemas are written by hand in the JSON files of this folder. This file adds what is the same for many resources: parameters of
//! the path, the role from the table of routes, and the problems that any resource may answer with. Tests check the document against the
//! routes, and against real answers.

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use axum::Extension;
use axum::body::Bytes;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::http::guard::roles::AccessRule;

const BASE: &str = include_str!("openapi/base.json");

/// The resources, by path.
const RESOURCES: [&str; 7] = [
    include_str!("openapi/state.json"),
    include_str!("openapi/series.json"),
    include_str!("openapi/history.json"),
    include_str!("openapi/channels.json"),
    include_str!("openapi/rules.json"),
    include_str!("openapi/accounts.json"),
    include_str!("openapi/machines.json"),
];

/// The schemas of requests and answers, by name.
const SCHEMAS: [&str; 6] = [
    include_str!("openapi/schemas-state.json"),
    include_str!("openapi/schemas-series.json"),
    include_str!("openapi/schemas-history.json"),
    include_str!("openapi/schemas-channels.json"),
    include_str!("openapi/schemas-rules.json"),
    include_str!("openapi/schemas-accounts.json"),
];

/// What every resource may answer; `base.json` says why.
const PROBLEMS: [&str; 3] = ["400", "403", "414"];

/// What a resource that wants a token may answer besides.
const PROBLEMS_OF_HOLDERS: [&str; 4] = ["401", "429", "500", "503"];

static DOCUMENT: OnceLock<Bytes> = OnceLock::new();

/// Who may use a method of a path, as the table of routes says.
#[derive(Clone, Copy)]
pub(crate) struct RoleLookup(pub(crate) fn(&Method, &str) -> Option<AccessRule>);

/// `GET /openapi.json`
pub(crate) async fn document(Extension(lookup): Extension<RoleLookup>) -> Response {
    let text = DOCUMENT.get_or_init(|| assembled(lookup).to_string().into()).clone();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn assembled(lookup: RoleLookup) -> Value {
    let mut document = Value::Object(read(BASE));
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    let components = &mut document["components"];
    for response in components["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        response["content"] = problem();
    }
    for (name, schema) in SCHEMAS.into_iter().flat_map(read) {
        components["schemas"][name] = schema;
    }
    for (path, item) in RESOURCES.into_iter().flat_map(read) {
        let item = completed(&path, item, lookup);
        document["paths"][path] = item;
    }
    document
}

/// Reads a file of this folder. A test makes sure that each of them is valid.
fn read(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

fn problem() -> Value {
    json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } })
}

/// A path, completed with what is the same for many.
fn completed(path: &str, mut item: Value, lookup: RoleLookup) -> Value {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let parameters: Vec<Value> =
        names.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })).collect();
    for method in ["get", "put", "post", "delete"] {
        if let Some(operation) = item.get_mut(method) {
            complete(path, method, operation, lookup);
        }
    }
    if !parameters.is_empty() {
        item["parameters"] = parameters.into();
    }
    item
}

fn complete(path: &str, method: &str, operation: &mut Value, RoleLookup(who): RoleLookup) {
    let own = operation.as_object_mut().and_then(|it| it.remove("problems"));
    for (status, why) in own.as_ref().and_then(Value::as_object).into_iter().flatten() {
        operation["responses"][status] = json!({ "description": why, "content": problem() });
    }
    let mut problems = PROBLEMS.to_vec();
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap_or_default();
    if let Some(AccessRule::Holder(role)) = who(&method, path) {
        operation["x-role"] = role.name().into();
        problems.extend(PROBLEMS_OF_HOLDERS);
    } else {
        operation["security"] = json!([]);
    }
    for status in problems {
        // The description in the file of the resource says more.
        if operation["responses"].get(status).is_none() {
            let problem = json!({ "$ref": format!("#/components/responses/{status}") });
            operation["responses"][status] = problem;
        }
    }
}
