//! Reads the body of a request: as JSON, as a component, or as bytes.

use std::error::Error;
use std::sync::Arc;

use axum::RequestExt;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::control::{Edit, RuleSource};
use crate::http::form::problem::Problem;
use crate::http::form::query::{Query, wrong};

/// A body as it came, within the limit of its route.
pub(crate) struct RawBody(pub(crate) Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let mut parts = request.with_limited_body().into_body();
        let mut body = Vec::new();
        // One part after the other. axum collects them all before it puts them together, which takes twice the memory.
        while let Some(part) = parts.frame().await {
            let part = part.map_err(|error| unread(&error))?;
            if let Some(data) = part.data_ref() {
                body.extend_from_slice(data);
            }
        }
        Ok(Self(body))
    }
}

/// Why a body was not read to its end.
fn unread(error: &axum::Error) -> Problem {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<LengthLimitError>() {
            let detail =
                "the body is larger than this resource takes; docs/api.md says how large it may be";
            return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail);
        }
        cause = inner.source();
    }
    Problem::new(StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}"))
}

/// A body of JSON.
pub(crate) struct JsonBody<V>(pub(crate) V);

impl<S: Send + Sync, V: DeserializeOwned> FromRequest<S> for JsonBody<V> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let RawBody(body) = RawBody::from_request(request, state).await?;
        json(&body).map(Self)
    }
}

/// Reads JSON; an empty body is an empty object.
pub(crate) fn json<V: DeserializeOwned>(body: &[u8]) -> Result<V, Problem> {
    let text = if body.is_empty() { b"{}" } else { body };
    let read = serde_json::from_slice(text);
    // A second reading, only if the first one fails: the value of a setting must stay what it was written as, 2.0 and not 2.
    let read = read.or_else(|error| whole_numbers(text).ok_or(error));
    read.map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the body is not what is expected: {error}"))
    })
}

/// Reads JSON in which whole numbers are written as `307.0`. It is the same number, and languages with one kind of numbers may write it so.
fn whole_numbers<V: DeserializeOwned>(text: &[u8]) -> Option<V> {
    fn make_whole(value: &mut Value) {
        match value {
            Value::Number(number) => {
                let float = number.as_f64().filter(|it| number.is_f64() && it.fract() == 0.0);
                // Above 2^53 a float cannot tell neighbouring whole numbers apart.
                let whole = float.filter(|it| it.abs() <= 9_007_199_254_740_992.0);
                if let Some(whole) = whole {
                    *value = (whole as i64).into();
                }
            }
            Value::Array(list) => list.iter_mut().for_each(make_whole),
            Value::Object(object) => object.values_mut().for_each(make_whole),
            _ => {}
        }
    }
    let mut value = serde_json::from_slice(text).ok()?;
    make_whole(&mut value);
    serde_json::from_value(value).ok()
}

/// A component with the settings of the query, or other settings for the live rule. The content type says which.
pub(crate) fn source(
    headers: &HeaderMap,
    settings: Option<Edit>,
    body: &[u8],
) -> Result<RuleSource, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // A type may have parameters: application/json; charset=utf-8.
    match kind.and_then(|kind| kind.split(';').next()).map(str::trim) {
        Some(kind) if kind.eq_ignore_ascii_case("application/json") => match settings {
            None => Ok(RuleSource::Settings(json(body)?)),
            Some(_) => Err(wrong(
                "settings",
                "it goes with a component; without one, the body says what to `set`",
            )),
        },
        _ => Ok(RuleSource::Component(Arc::from(body), settings.unwrap_or_default())),
    }
}

/// What the query says to set and to unset of a component that is the body.
pub(crate) fn settings(query: &mut Query) -> Result<Option<Edit>, Problem> {
    query.one("settings")?.map(|text| json(text.as_bytes())).transpose()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(default)]
        count: u64,
        time: Option<u64>,
        any: Option<Value>,
    }

    fn sample(text: &str) -> Result<Sample, String> {
        json(text.as_bytes()).map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for written in ["307", "307.0", "3.07e2"] {
            let read = sample(&format!("{{\"count\": {written}, \"time\": {written}}}"));
            assert_eq!(read, Ok(Sample { count: 307, time: Some(307), any: None }), "{written}");
        }
        for odd in ["307.5", "-1.0", "1e300", "\"307\"", "null"] {
            let why = sample(&format!("{{\"count\": {odd}}}")).unwrap_err();
            assert!(why.contains("the body is not what is expected"), "{odd}: {why}");
        }
        // Where a fraction may stand, it stays one.
        assert_eq!(sample("{\"any\": 2.0}").unwrap().any, Some(2.0.into()));
    }

    #[test]
    fn an_empty_body_is_an_empty_object_and_other_fields_are_refused() {
        assert_eq!(sample(""), Ok(Sample { count: 0, time: None, any: None }));
        assert!(sample("{\"cuont\": 1}").unwrap_err().contains("cuont"));
    }
}
