//! The two ways in which figures are written: JSON, and a table (CSV, RFC 4180).

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::http::form::problem::Problem;
use crate::http::form::query::Asked;

/// How an answer is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Csv,
}

impl Form {
    /// What `format` says.
    pub(crate) fn of(asked: &mut Asked) -> Result<Self, Problem> {
        let form = asked.choice("format", ["json", "csv"])?;
        Ok(if form == "csv" { Self::Csv } else { Self::Json })
    }
}

/// A weight or a value, which is kept in thousandths, as people write it.
pub(crate) fn level(thousandths: i64) -> f64 {
    thousandths as f64 / 1000.0
}

/// A field of a table (RFC 4180). What a spreadsheet would take for a formula is told apart by an apostrophe.
pub(crate) fn field(text: &str) -> String {
    let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

pub(crate) fn json_answer(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

pub(crate) fn csv_answer(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_table_can_be_read_again_and_run_nothing() {
        assert_eq!(field("Kappa"), "Kappa");
        assert_eq!(field("a,b"), "\"a,b\"");
        assert_eq!(field("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(field("=1+1"), "'=1+1");
        assert_eq!(field("-_-"), "'-_-");
    }
}
