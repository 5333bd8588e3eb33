//! The API, described for programs: an OpenAPI document at `GET /openapi.json`, for everybody, since nothing in it is secret.
//!
//! Resources and shapes are written by hand in the files beside this one, a group each. What is the same everywhere is added here: the
//! parameters of a path, the role as [`roles`] has it, and the problems that any resource may answer with. Tests hold the document against the
//! router, and against what heatd really answers.

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::http::guard::roles::{self, API};
use crate::tokens::Role;

const BASE: &str = include_str!("openapi/base.json");

/// The resources, by path.
const RESOURCES: [&str; 5] = [
    include_str!("openapi/state.json"),
    include_str!("openapi/series.json"),
    include_str!("openapi/channels.json"),
    include_str!("openapi/rules.json"),
    include_str!("openapi/machines.json"),
];

/// The shapes of what is sent and answered, by name.
const SCHEMAS: [&str; 4] = [
    include_str!("openapi/schemas-state.json"),
    include_str!("openapi/schemas-series.json"),
    include_str!("openapi/schemas-channels.json"),
    include_str!("openapi/schemas-rules.json"),
];

/// The resources that want no token.
const FOR_EVERYBODY: [&str; 4] = ["/openapi.json", "/healthz", "/readyz", "/metrics"];

/// What a resource that wants a token may always answer; `base.json` says why.
const PROBLEMS: [&str; 6] = ["401", "403", "414", "429", "500", "503"];

static DOCUMENT: OnceLock<Bytes> = OnceLock::new();

/// `GET /openapi.json`
pub(crate) async fn document() -> Response {
    let text = DOCUMENT.get_or_init(|| assembled().to_string().into()).clone();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn assembled() -> Value {
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
        let item = completed(&path, item);
        document["paths"][path] = item;
    }
    document
}

/// A file of this folder. A test reads each of them.
fn read(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

fn problem() -> Value {
    json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } })
}

/// A path with what its file does not say.
fn completed(path: &str, mut item: Value) -> Value {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let parameters: Vec<Value> =
        names.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })).collect();
    for method in ["get", "put", "post", "delete"] {
        if let Some(operation) = item.get_mut(method) {
            complete(path, method, operation);
        }
    }
    if !parameters.is_empty() {
        item["parameters"] = parameters.into();
    }
    item
}

fn complete(path: &str, method: &str, operation: &mut Value) {
    let own = operation.as_object_mut().and_then(|it| it.remove("problems"));
    for (status, why) in own.as_ref().and_then(Value::as_object).into_iter().flatten() {
        operation["responses"][status] = json!({ "description": why, "content": problem() });
    }
    if FOR_EVERYBODY.contains(&path) {
        operation["security"] = json!([]);
        return;
    }
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap_or_default();
    let role = roles::needed(&method, Some(&format!("{API}{path}")));
    operation["x-role"] = role.map(Role::name).into();
    for status in PROBLEMS {
        let told = json!({ "$ref": format!("#/components/responses/{status}") });
        operation["responses"][status] = told;
    }
}
