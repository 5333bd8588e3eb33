//! Whole answers as JSON, made from a struct that lists the fields.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::form::problem::Problem;

/// An answer as JSON.
pub(crate) struct JsonAnswer<V>(pub(crate) V);

impl<V: Serialize> IntoResponse for JsonAnswer<V> {
    fn into_response(self) -> Response {
        match serde_json::to_string(&self.0) {
            Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
            Err(error) => {
                let detail = format!("heatd failed to write its answer: {error}");
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
            }
        }
    }
}
