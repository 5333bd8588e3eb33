//! What was counted over time: `GET /channels/{channel}/series`, the most faved, `GET /channels/{channel}/faves`, and when the streams were,
//! `GET /channels/{channel}/streams`.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use heat_engine::wit::Tally;
use heat_engine::{Point, Range, Resolution, What};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::asked::{Asked, check_size, name_of, provider_name};
use super::problem::Problem;
use super::steps::blocking;
use super::{Api, kept};
use crate::clock::now;
use crate::control::Refusal;

/// How long a list of the most faved is when nobody says so.
pub(super) const TOP: usize = 10;

/// How long it may be.
pub(super) const MOST_TOP: usize = 1_000;

/// How many streams are told at most.
pub(super) const MOST_STREAMS: usize = 100;

/// `GET /channels/{channel}/series`
pub(super) async fn points(
    State(api): State<Arc<Api>>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let channel = super::counted(&api, &channel)?;
    let mut asked = Asked::of(query.as_deref());
    let (whats, range) = (asked.series()?, asked.range()?);
    let (interval, form) =
        (asked.interval(range, &api.channels.config.series)?, Form::of(&mut asked)?);
    asked.end()?;
    check_size(whats.len(), interval, range)?;
    let series = api.statistics()?;
    check_emotes(&api, &channel, &whats)?;
    let turn = api.seats.question().await;
    blocking(move || {
        // Who has asked may be gone long before this ends.
        let _turn = turn;
        let range = whole(range, interval);
        let gaps = api.roster.gaps.within(&channel, range.from, range.to);
        let known_since = series.known_since(&channel)?.map(|since| {
            let kept = api.channels.config.series.of(interval);
            since.max(now().saturating_sub(kept))
        });
        let points = series.points(&channel, &whats, interval, range)?;
        let mut curves = Vec::new();
        for (what, points) in whats.iter().zip(points) {
            let before = match what {
                What::Output(name) => series.level_before(&channel, name, range.from)?,
                _ => None,
            };
            curves.push(Curve { what, before, points });
        }
        let answer = match form {
            Form::Json => {
                let times = Times { range, known_since, gaps: &gaps };
                json_of(&channel, interval, &times, &curves)
            }
            Form::Csv => csv_of(&curves),
        };
        Ok(kept::about(range, answer))
    })
    .await
}

/// Refuses emotes of which it is known that there are none: never counted, and in no set of the channel. Twitch tells no set, so any name may
/// be one of its emotes.
pub(super) fn check_emotes(api: &Api, channel: &str, whats: &[What]) -> Result<(), Problem> {
    let statistics = api.statistics()?;
    let Some(shelves) = &api.shelves else { return Ok(()) };
    for what in whats {
        let What::Emote(provider, name) = what else { continue };
        let provider = provider_name(*provider);
        if shelves.lack(channel, provider, name) && !statistics.knows(what) {
            let why = format!(
                "no emote {name:?} of {provider} was ever used, and no set of #{channel} has it"
            );
            return Err(Problem::of_parameter(StatusCode::NOT_FOUND, "of", &why));
        }
    }
    Ok(())
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
    let turn = api.seats.question().await;
    blocking(move || {
        // Who has asked may be gone long before this ends.
        let _turn = turn;
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

/// `GET /channels/{channel}/streams`
pub(super) async fn streams(
    State(api): State<Arc<Api>>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let channel = super::counted(&api, &channel)?;
    let mut asked = Asked::of(query.as_deref());
    let most = asked.count("count", TOP, MOST_STREAMS)?;
    asked.end()?;
    let statistics = api.statistics()?;
    let turn = api.seats.question().await;
    blocking(move || {
        // Who has asked may be gone long before this ends.
        let _turn = turn;
        let known_since = statistics.known_since(&channel)?;
        let streams = statistics.last_streams(&channel, most)?.into_iter();
        let streams = streams.map(|stream| json!({ "from": stream.from, "to": stream.to }));
        Ok(json_answer(&json!({
            "channel": channel, "known_since": known_since, "streams": streams.collect::<Vec<_>>(),
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

/// How an answer is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Csv,
}

impl Form {
    /// What `format` says.
    pub(super) fn of(asked: &mut Asked) -> Result<Self, Problem> {
        let form = asked.choice("format", ["json", "csv"])?;
        Ok(if form == "csv" { Self::Csv } else { Self::Json })
    }
}

/// The range in whole bins.
pub(super) fn whole(range: Range, interval: Resolution) -> Range {
    let width = interval.width();
    Range { from: interval.bin(range.from), to: range.to.div_ceil(width).saturating_mul(width) }
}

/// The answer as it is sent. It is written without a tree of values in between, which takes ten times as much memory.
#[derive(Serialize)]
struct Told<'a> {
    channel: &'a str,
    interval: &'static str,
    interval_ms: u64,
    from: u64,
    to: u64,
    known_since: Option<u64>,
    series: Vec<Drawn<'a>>,
    gaps: &'a [(u64, u64)],
}

/// Of which time an answer is, and what of it is not known.
struct Times<'a> {
    range: Range,
    /// Bins that end earlier are not zero, but unknown: heatd did not hear the channel, or keeps bins of this width no longer.
    known_since: Option<u64>,
    gaps: &'a [(u64, u64)],
}

#[derive(Serialize)]
struct Drawn<'a> {
    of: String,
    points: Points<'a>,
    /// Of an output: what it showed before, or null.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Option<f64>>,
}

struct Points<'a> {
    is_level: bool,
    points: &'a [Point],
}

impl Serialize for Points<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.is_level {
            true => to.collect_seq(self.points.iter().map(|it| (it.at, level(it.count)))),
            false => to.collect_seq(self.points.iter().map(|it| (it.at, it.count, it.people))),
        }
    }
}

fn json_of<'a>(
    channel: &'a str,
    interval: Resolution,
    times: &'a Times<'_>,
    curves: &'a [Curve<'_>],
) -> Response {
    let drawn = |curve: &'a Curve<'_>| {
        let Curve { what, before, points } = curve;
        let is_level = matches!(what, What::Output(_));
        let before = is_level.then_some(before.map(level));
        Drawn { of: name_of(what), points: Points { is_level, points }, before }
    };
    let told = Told {
        channel,
        interval: interval.name(),
        interval_ms: interval.width(),
        from: times.range.from,
        to: times.range.to,
        known_since: times.known_since,
        series: curves.iter().map(drawn).collect(),
        gaps: times.gaps,
    };
    // Numbers and strings always become JSON.
    let text = serde_json::to_string(&told).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
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

/// A field of a table (RFC 4180). What a spreadsheet would take for a formula is told apart by an apostrophe.
pub(super) fn field(text: &str) -> String {
    let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

pub(super) fn json_answer(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

pub(super) fn csv_answer(text: String) -> Response {
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
