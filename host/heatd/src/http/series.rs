//! What was counted over time: `GET /channels/{channel}/series`, and which emotes there were, `GET /channels/{channel}/emotes`.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use heat_engine::wit::Tally;
use heat_engine::{Point, Range, Resolution, Total, What};
use serde_json::{Value, json};

use super::Api;
use super::asked::{Asked, name_of, provider_name, wrong};
use super::problem::Problem;
use super::steps::blocking;
use crate::live::Refusal;

/// How many emotes an answer has when nobody says how many.
const EMOTES: usize = 50;

/// How many it may have.
const MOST_EMOTES: usize = 10_000;

/// How long a list of the most faved is when nobody says so.
const TOP: usize = 10;

/// How long it may be.
const MOST_TOP: usize = 1_000;

/// `GET /channels/{channel}/series`
pub(super) async fn points(
    State(api): State<Arc<Api>>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let channel = super::counted(&api, &channel)?;
    let mut asked = Asked::of(query.as_deref());
    let (whats, range) = (asked.series()?, asked.range()?);
    let (interval, form) = (asked.interval(range)?, format(&mut asked)?);
    asked.end()?;
    let series = api.statistics()?;
    blocking(move || {
        let range = whole(range, interval);
        let gaps = api.roster.gaps.within(&channel, range.from, range.to);
        let points = series.points(&channel, &whats, interval, range)?;
        let mut curves = Vec::new();
        for (what, points) in whats.iter().zip(points) {
            let before = match what {
                What::Output(name) => series.level_before(&channel, name, range.from)?,
                _ => None,
            };
            curves.push(Curve { what, before, points });
        }
        Ok(match form {
            Form::Json => json_of(&channel, interval, range, &curves, &gaps),
            Form::Csv => csv_of(&curves),
        })
    })
    .await
}

/// `GET /channels/{channel}/emotes`
pub(super) async fn emotes(
    State(api): State<Arc<Api>>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let channel = super::counted(&api, &channel)?;
    let mut asked = Asked::of(query.as_deref());
    let (range, form) = (asked.range()?, format(&mut asked)?);
    let interval = asked.interval(range)?;
    let most = asked.count("count", EMOTES, MOST_EMOTES)?;
    let least_first = match asked.one("order")?.as_deref() {
        None | Some("most") => false,
        Some("least") => true,
        Some(other) => {
            return Err(wrong("order", &format!("{other:?} is none; there are most and least")));
        }
    };
    let wanted = asked.one("search")?.map(|search| search.to_lowercase());
    asked.end()?;
    let series = api.statistics()?;
    blocking(move || {
        let range = whole(range, interval);
        let mut totals = series.totals(&channel, interval, range)?;
        totals.retain(|total| match (&total.what, &wanted) {
            (What::Emote(_, name), Some(wanted)) => name.to_lowercase().contains(wanted.as_str()),
            (What::Emote(..), None) => true,
            _ => false,
        });
        totals.sort_by(|one, other| {
            let order = other.count.cmp(&one.count);
            let order = if least_first { order.reverse() } else { order };
            order.then_with(|| one.what.cmp(&other.what))
        });
        totals.truncate(most);
        Ok(match form {
            Form::Json => listed(&channel, range, &totals),
            Form::Csv => table(&totals),
        })
    })
    .await
}

/// `GET /channels/{channel}/faves`
pub(super) async fn faves(
    State(api): State<Arc<Api>>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let channel = super::counted(&api, &channel)?;
    let mut asked = Asked::of(query.as_deref());
    let most = asked.count("count", TOP, MOST_TOP)?;
    asked.end()?;
    let statistics = api.statistics()?;
    blocking(move || {
        let found = statistics.most_faved(&channel, most)?;
        let found = found.ok_or_else(|| Refusal::because("too many people for a list"))?;
        let tally = |it: &Tally| json!({ "faves": it.faves, "weight": level(it.weight), "people": it.people });
        let items = found.items.iter().map(|(item, it)| {
            json!({ "item": item, "faves": it.faves, "weight": level(it.weight), "people": it.people })
        });
        let people = found.people.iter().map(|(person, it)| {
            let (login, name) = (&person.login, &person.name);
            json!({ "login": login, "name": name, "faves": it.faves, "weight": level(it.weight) })
        });
        Ok(json_answer(&json!({
            "channel": channel, "total": tally(&found.total),
            "items": items.collect::<Vec<_>>(), "people": people.collect::<Vec<_>>(),
        })))
    })
    .await
}

/// One series of an answer.
struct Curve<'a> {
    what: &'a What,
    /// What an output showed before the range.
    before: Option<i64>,
    points: Vec<Point>,
}

enum Form {
    Json,
    Csv,
}

fn format(asked: &mut Asked) -> Result<Form, Problem> {
    match asked.one("format")?.as_deref() {
        None | Some("json") => Ok(Form::Json),
        Some("csv") => Ok(Form::Csv),
        Some(other) => Err(wrong("format", &format!("{other:?} is none; there are json and csv"))),
    }
}

/// The range in whole bins.
fn whole(range: Range, interval: Resolution) -> Range {
    let width = interval.width();
    Range { from: interval.bin(range.from), to: range.to.div_ceil(width).saturating_mul(width) }
}

fn json_of(
    channel: &str,
    interval: Resolution,
    range: Range,
    curves: &[Curve<'_>],
    gaps: &[(u64, u64)],
) -> Response {
    let curve = |curve: &Curve<'_>| {
        let is_level = matches!(curve.what, What::Output(_));
        let point = |it: &Point| match is_level {
            true => json!([it.at, level(it.count)]),
            false => json!([it.at, it.count, it.people]),
        };
        let points: Vec<Value> = curve.points.iter().map(point).collect();
        let mut answer = json!({ "of": name_of(curve.what), "points": points });
        if is_level {
            answer["before"] = json!(curve.before.map(level));
        }
        answer
    };
    let curves: Vec<Value> = curves.iter().map(curve).collect();
    json_answer(&json!({
        "channel": channel, "interval": interval.name(), "interval_ms": interval.width(),
        "from": range.from, "to": range.to, "series": curves, "gaps": gaps,
    }))
}

pub(super) fn level(thousandths: i64) -> f64 {
    thousandths as f64 / 1000.0
}

fn csv_of(curves: &[Curve<'_>]) -> Response {
    let mut text = "series,at_ms,value,people\r\n".to_owned();
    for curve in curves {
        let name = field(&name_of(curve.what));
        let is_level = matches!(curve.what, What::Output(_));
        for point in &curve.points {
            let (value, people) = match is_level {
                true => (level(point.count).to_string(), String::new()),
                false => (point.count.to_string(), point.people.to_string()),
            };
            text += &format!("{name},{},{value},{people}\r\n", point.at);
        }
    }
    csv_answer(text)
}

fn listed(channel: &str, range: Range, totals: &[Total]) -> Response {
    let emotes: Vec<Value> = totals
        .iter()
        .filter_map(|total| {
            let What::Emote(provider, name) = &total.what else { return None };
            Some(json!({
                "name": name, "provider": provider_name(*provider), "id": total.id,
                "uses": total.count, "last": total.last,
            }))
        })
        .collect();
    json_answer(
        &json!({ "channel": channel, "from": range.from, "to": range.to, "emotes": emotes }),
    )
}

fn table(totals: &[Total]) -> Response {
    let mut text = "provider,name,id,uses,last_ms\r\n".to_owned();
    for total in totals {
        let What::Emote(provider, name) = &total.what else { continue };
        let (provider, name, id) = (provider_name(*provider), field(name), field(&total.id));
        text += &format!("{provider},{name},{id},{},{}\r\n", total.count, total.last);
    }
    csv_answer(text)
}

/// A field of a table (RFC 4180). What a spreadsheet would take for a formula is told apart by an apostrophe.
fn field(text: &str) -> String {
    let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

fn json_answer(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn csv_answer(text: String) -> Response {
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

    #[test]
    fn a_range_is_made_of_whole_bins() {
        let range = whole(Range { from: 61_500, to: 119_001 }, Resolution::Minute);
        assert_eq!(range, Range { from: 60_000, to: 120_000 });
        let end = whole(Range { from: 0, to: u64::MAX }, Resolution::Hour);
        assert_eq!(end.to, u64::MAX);
    }
}
