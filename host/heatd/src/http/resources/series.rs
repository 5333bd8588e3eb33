//! What was counted over time: `GET /channels/{channel}/series`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use heat_engine::{Point, Range, Resolution, What};
use serde::{Serialize, Serializer};

use crate::clock::now;
use crate::http::api::Api;
use crate::http::form::answer::JsonAnswer;
use crate::http::form::conditional;
use crate::http::form::ndjson::blocking;
use crate::http::form::problem::Problem;
use crate::http::form::query::{Query, check_size, name_of, whole};
use crate::http::form::table::{TableFormat, csv_answer, field, level};
use crate::http::guard::limits::Place;
use crate::http::path::CountedPath;

/// `GET /channels/{channel}/series`
pub(crate) async fn points(
    State(api): State<Arc<Api>>,
    place: Place,
    CountedPath(channel): CountedPath,
    mut query: Query,
) -> Result<Response, Problem> {
    let (whats, range) = (query.series()?, query.range()?);
    let (interval, format) = (query.interval(range, &api.kept)?, TableFormat::of(&mut query)?);
    query.end()?;
    check_size(whats.len(), interval, range)?;
    let series = api.statistics()?;
    check_emotes(&api, &channel, &whats)?;
    let turn = api.limits.question().await;
    blocking((place, turn), move || {
        let range = whole(range, interval);
        let gaps = api.registry.gaps.within(&channel, range.from, range.to);
        // The channel may be known for longer than bins of this width are kept.
        let kept_since = now().saturating_sub(api.kept.of(interval));
        let known_since = series.known_since(&channel)?.map(|since| since.max(kept_since));
        let points = series.points(&channel, &whats, interval, range)?;
        let mut curves = Vec::new();
        for (what, points) in whats.iter().zip(points) {
            let before = match what {
                What::Output(name) => series.level_before(&channel, name, range.from)?,
                _ => None,
            };
            curves.push(Curve { what, before, points });
        }
        let answer = match format {
            TableFormat::Json => {
                let times = Times { range, known_since, gaps: &gaps };
                json_of(&channel, interval, &times, &curves)
            }
            TableFormat::Csv => csv_of(&curves),
        };
        Ok(conditional::about(range, answer))
    })
    .await
}

/// Refuses emotes that cannot exist: never used, and in no known set of the channel. Twitch does not publish its sets, so its names are always accepted.
pub(crate) fn check_emotes(api: &Api, channel: &str, whats: &[What]) -> Result<(), Problem> {
    let statistics = api.statistics()?;
    let Some(shelves) = &api.shelves else { return Ok(()) };
    for what in whats {
        let What::Emote(provider, name) = what else { continue };
        let provider = provider.name();
        if shelves.lack(channel, provider, name) && !statistics.knows(what) {
            let why = format!(
                "no emote {name:?} of {provider} was ever used, and no set of #{channel} has it"
            );
            return Err(Problem::of_parameter(StatusCode::NOT_FOUND, "of", &why));
        }
    }
    Ok(())
}

/// One series of an answer.
struct Curve<'a> {
    what: &'a What,
    /// What an output showed before the range.
    before: Option<i64>,
    points: Vec<Point>,
}

/// The answer. It borrows the points: a tree of JSON values would take ten times as much memory.
#[derive(Serialize)]
struct SeriesPage<'a> {
    channel: &'a str,
    interval: &'static str,
    interval_ms: u64,
    from: u64,
    to: u64,
    known_since: Option<u64>,
    series: Vec<Drawn<'a>>,
    gaps: &'a [(u64, u64)],
}

/// The time of an answer, and which parts of it are unknown.
struct Times<'a> {
    range: Range,
    /// Bins that end earlier are unknown, not zero: heatd did not read the channel then, or has dropped bins of this width.
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
    JsonAnswer(SeriesPage {
        channel,
        interval: interval.name(),
        interval_ms: interval.width(),
        from: times.range.from,
        to: times.range.to,
        known_since: times.known_since,
        series: curves.iter().map(drawn).collect(),
        gaps: times.gaps,
    })
    .into_response()
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
