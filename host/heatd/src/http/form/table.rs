//! The formats of figures: JSON, or a table (CSV, RFC 4180).

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::http::form::problem::Problem;
use crate::http::form::query::Query;

/// The format of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableFormat {
    Json,
    Csv,
}

impl TableFormat {
    /// The value of `format`.
    pub(crate) fn of(query: &mut Query) -> Result<Self, Problem> {
        let format = query.choice("format", ["json", "csv"])?;
        Ok(if format == "csv" { Self::Csv } else { Self::Json })
    }
}

/// A weight or a value as people write it. heatd keeps thousandths.
pub(crate) fn level(thousandths: i64) -> f64 {
    thousandths as f64 / 1000.0
}

/// A field of a table (RFC 4180). An apostrophe keeps a spreadsheet from running text as a formula.
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
