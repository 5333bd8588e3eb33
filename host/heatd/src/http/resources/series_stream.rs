//! `GET /channels/{channel}/live`: series as they grow, as server-sent events, and for a page the [`News`] in the same stream.
//!
//! Bins of up to half a minute are told once they have ended. Wider ones are told as they grow: half an hour is worth seeing.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use heat_engine::{Resolution, Statistics, What};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::clock::now;
use crate::http::api::{self, Api};
use crate::http::form::problem::Problem;
use crate::http::form::query::{Asked, name_of, wrong};
use crate::http::form::table::level;
use crate::http::resources::series::check_emotes;
use crate::http::resources::updates::News;
use crate::shutdown::Shutdown;
use crate::tokens::{Caller, Role};

/// How long after its end a bin is told, in milliseconds: Twitch's own time of a line is so much before it arrives.
const AFTER: u64 = 150;

/// How many bins before it are told once more: late lines may have changed them.
const AGAIN: u64 = 2;

/// The widest bins that are told when they have ended.
const NARROW: Resolution = Resolution::HalfMinute;

/// How often wider ones are told, in milliseconds.
const GROWTH: u64 = 5_000;

/// How often a watcher hears that the connection is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// `GET /channels/{channel}/live`
pub(crate) async fn live(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let channel = api::channel(&api, &channel)?;
    let mut asked = Asked::of(query.as_deref());
    let whats = asked.series()?;
    let interval = asked.one("interval")?.unwrap_or_else(|| "1s".to_owned());
    let interval = interval.parse().map_err(|problem: String| wrong("interval", &problem))?;
    let wants_news = match asked.one("news")?.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            return Err(wrong("news", &format!("{other:?} is neither true nor false")));
        }
    };
    asked.end()?;
    check_emotes(&api, &channel, &whats)?;
    let Some(seat) = api.seats.take(caller.role) else {
        return Err(Problem::too_many_watch(caller.role.name()));
    };
    let statistics = api.statistics()?;
    let is_public = caller.role == Role::Viewer;
    let news = wants_news.then(|| News::new(&api, statistics.clone(), &channel, is_public));
    let bins = Bins { statistics, channel, whats, interval, told: now().saturating_sub(AFTER) };
    let follower = Follower { bins, news, shutdown: api.shutdown.clone() };
    let ended = Box::pin(Arc::clone(&api.tokens).ended(caller));
    let stream = unfold((follower, ended, seat), |(mut follower, mut ended, seat)| async move {
        let text = tokio::select! {
            () = &mut ended => None,
            text = follower.next() => text,
        }?;
        Some((Ok(Event::default().data(text)), (follower, ended, seat)))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)))
}

struct Follower {
    bins: Bins,
    news: Option<News>,
    shutdown: Shutdown,
}

impl Follower {
    /// What comes next, as JSON; none when heatd stops.
    async fn next(&mut self) -> Option<String> {
        let (at, wait) = self.bins.due();
        let news = async {
            match &mut self.news {
                Some(news) => news.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // However much happens, a bin is told in time.
            biased;
            () = sleep(wait) => Some(self.bins.told_at(at)),
            news = news => news,
            () = self.shutdown.begun() => None,
        }
    }
}

/// The bins as they end, or grow.
struct Bins {
    statistics: Statistics,
    channel: String,
    whats: Vec<What>,
    interval: Resolution,
    /// Until when they were told of.
    told: u64,
}

impl Bins {
    /// Until when bins are told of the next time, and how long it is until then.
    fn due(&self) -> (u64, Duration) {
        let step = if self.interval <= NARROW { self.interval.width() } else { GROWTH };
        // Who could not be told in time is told of the present.
        let last = self.told.max(now().saturating_sub(AFTER + step));
        let at = (last / step + 1) * step;
        (at, Duration::from_millis((at + AFTER).saturating_sub(now())))
    }

    /// The bins until this time: the last one, and those before it once more.
    fn told_at(&mut self, at: u64) -> String {
        self.told = at;
        let width = self.interval.width();
        let last = self.interval.bin(at.saturating_sub(1));
        let bins: Vec<Value> = (0..=AGAIN)
            .rev()
            .filter_map(|back| last.checked_sub(back * width))
            .filter_map(|at| self.bin(at))
            .collect();
        let names: Vec<String> = self.whats.iter().map(name_of).collect();
        json!({ "interval": self.interval.name(), "of": names, "bins": bins }).to_string()
    }

    /// A bin: when it starts, and of each series the value and the number of people. None where it is in the store already.
    fn bin(&self, at: u64) -> Option<Value> {
        let points = self.statistics.latest(&self.channel, &self.whats, self.interval, at)?;
        let value = |(what, point): (&What, Option<heat_engine::Point>)| match (what, point) {
            (What::Output(_), point) => json!(point.map(|it| [level(it.count)])),
            (_, Some(it)) => json!([it.count, it.people]),
            (_, None) => json!([0, 0]),
        };
        let values: Vec<Value> = self.whats.iter().zip(points).map(value).collect();
        Some(json!({ "at": at, "values": values }))
    }
}
