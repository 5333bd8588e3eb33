//! `GET /channels/{channel}/live`: series as they grow, as server-sent events. For a page, [`Updates`] come in the same stream.
//!
//! Bins of up to half a minute are sent once they have ended. Wider bins are sent while they grow, since nobody wants to wait an hour for a point.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use heat_engine::{Resolution, Statistics, What};
use serde::Serialize;
use tokio::time::sleep;

use crate::clock::now;
use crate::data::role::Role;
use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::problem::Problem;
use crate::http::form::query::{Query, name_of, wrong};
use crate::http::form::table::level;
use crate::http::path::ChannelPath;
use crate::http::resources::series::check_emotes;
use crate::http::resources::updates::Updates;
use crate::shutdown::Shutdown;

/// Delay before a bin that has ended is sent, in milliseconds: lines arrive up to this long after the time that Twitch gives them.
const AFTER: u64 = 150;

/// How many earlier bins are sent again with each bin: late lines may have changed them.
const AGAIN: u64 = 2;

/// The widest bins that are sent only once they have ended.
const NARROW: Resolution = Resolution::HalfMinute;

/// How often wider bins are sent, in milliseconds.
const GROWTH: u64 = 5_000;

/// How often an empty event shows that the connection is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// `GET /channels/{channel}/live`
pub(crate) async fn follow(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    ChannelPath(channel): ChannelPath,
    mut query: Query,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let whats = query.series()?;
    let interval = query.one("interval")?.unwrap_or_else(|| "1s".to_owned());
    let interval = interval.parse().map_err(|problem: String| wrong("interval", &problem))?;
    let wants_updates = query.choice("news", ["false", "true"])? == "true";
    query.end()?;
    check_emotes(&api, &channel, &whats)?;
    let Some(permit) = api.limits.watch(caller.role) else {
        return Err(Problem::too_many_watch(caller.role.name()));
    };
    let statistics = api.statistics()?;
    let is_public = caller.role == Role::Viewer;
    let updates =
        wants_updates.then(|| Updates::new(&api, statistics.clone(), &channel, is_public));
    let bins = Bins { statistics, channel, whats, interval, told: now().saturating_sub(AFTER) };
    let stream = SeriesStream { bins, updates, shutdown: api.shutdown.clone() };
    let ended = Box::pin(Arc::clone(&api.tokens).ended(caller));
    let stream = unfold((stream, ended, permit), |(mut stream, mut ended, permit)| async move {
        let text = tokio::select! {
            () = &mut ended => None,
            text = stream.next() => text,
        }?;
        Some((Ok(Event::default().data(text)), (stream, ended, permit)))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)))
}

struct SeriesStream {
    bins: Bins,
    updates: Option<Updates>,
    shutdown: Shutdown,
}

impl SeriesStream {
    /// The next event as JSON. None when heatd stops.
    async fn next(&mut self) -> Option<String> {
        let (at, wait) = self.bins.due();
        let update = async {
            match &mut self.updates {
                Some(updates) => updates.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // Bins come first, so that many updates cannot delay them.
            biased;
            () = sleep(wait) => Some(self.bins.told_at(at)),
            update = update => update,
            () = self.shutdown.begun() => None,
        }
    }
}

/// The bins of the series, as they end or grow.
struct Bins {
    statistics: Statistics,
    channel: String,
    whats: Vec<What>,
    interval: Resolution,
    /// Up to which time bins were sent.
    told: u64,
}

impl Bins {
    /// Up to which time bins are sent next, and how long to wait for that.
    fn due(&self) -> (u64, Duration) {
        let step = if self.interval <= NARROW { self.interval.width() } else { GROWTH };
        // A reader that was too slow goes on with the present, and not with the past.
        let last = self.told.max(now().saturating_sub(AFTER + step));
        let at = (last / step + 1) * step;
        (at, Duration::from_millis((at + AFTER).saturating_sub(now())))
    }

    /// The event for the bins up to this time: the last bin, and some before it again.
    fn told_at(&mut self, at: u64) -> String {
        self.told = at;
        let width = self.interval.width();
        let last = self.interval.bin(at.saturating_sub(1));
        let bins = (0..=AGAIN)
            .rev()
            .filter_map(|back| last.checked_sub(back * width))
            .filter_map(|at| self.bin(at));
        let bins = BinsEvent {
            interval: self.interval.name(),
            of: self.whats.iter().map(name_of).collect(),
            bins: bins.collect(),
        };
        // Texts and numbers always become JSON.
        serde_json::to_string(&bins).unwrap_or_default()
    }

    /// A bin with the values of all series. None if it is in the store already.
    fn bin(&self, at: u64) -> Option<BinRow> {
        let points = self.statistics.latest(&self.channel, &self.whats, self.interval, at)?;
        let value = |(what, point): (&What, Option<heat_engine::Point>)| match (what, point) {
            (What::Output(_), point) => point.map(|it| BinValue::Level([level(it.count)])),
            (_, Some(it)) => Some(BinValue::Count(it.count, it.people)),
            (_, None) => Some(BinValue::Count(0, 0)),
        };
        Some(BinRow { at, values: self.whats.iter().zip(points).map(value).collect() })
    }
}

/// An event of the stream.
#[derive(Serialize)]
struct BinsEvent {
    interval: &'static str,
    /// The series, in the order of the values.
    of: Vec<String>,
    bins: Vec<BinRow>,
}

#[derive(Serialize)]
struct BinRow {
    at: u64,
    /// None: the output has not changed in this bin.
    values: Vec<Option<BinValue>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum BinValue {
    Level([f64; 1]),
    /// How often, and by how many people.
    Count(i64, u32),
}
