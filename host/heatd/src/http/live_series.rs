//! `GET /channels/{channel}/live`: series as they grow, as server-sent events: one for each bin that has ended.

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

use super::Api;
use super::asked::{Asked, name_of, wrong};
use super::problem::Problem;
use super::series::{check_emotes, level};
use crate::clock::now;
use crate::shutdown::Shutdown;
use crate::tokens::Caller;

/// How long after its end a bin is told, in milliseconds: Twitch's own time of a line is so much before it arrives.
const AFTER: u64 = 150;

/// How many bins before it are told once more: late lines may have changed them.
const AGAIN: u64 = 2;

/// How often it is looked whether the log of before a start is read.
const UNREAD: Duration = Duration::from_millis(50);

/// How often a watcher hears that the connection is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// `GET /channels/{channel}/live`
pub(super) async fn live(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let channel = super::channel(&api, &channel)?;
    let mut asked = Asked::of(query.as_deref());
    let whats = asked.series()?;
    let interval = asked.one("interval")?.unwrap_or_else(|| "1s".to_owned());
    let interval = interval.parse().map_err(|problem: String| wrong("interval", &problem))?;
    asked.end()?;
    check_emotes(&api, &channel, &whats)?;
    let Some(seat) = api.seats.take(caller.role) else {
        return Err(Problem::too_many_watch(caller.role.name()));
    };
    let ended = Box::pin(Arc::clone(&api.tokens).ended(caller));
    let follower = Follower {
        statistics: api.statistics()?,
        channel,
        whats,
        interval,
        shutdown: api.shutdown.clone(),
    };
    let stream = unfold((follower, ended, seat), |(mut follower, mut ended, seat)| async move {
        let page = tokio::select! {
            () = &mut ended => None,
            page = follower.next() => page,
        }?;
        Some((Ok(Event::default().data(page.to_string())), (follower, ended, seat)))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)))
}

struct Follower {
    statistics: Statistics,
    channel: String,
    whats: Vec<What>,
    interval: Resolution,
    shutdown: Shutdown,
}

impl Follower {
    /// The next bin that ends, with those before it; none when heatd stops.
    async fn next(&mut self) -> Option<Value> {
        // Right after a start nothing is known of the last bins yet.
        while !self.statistics.is_read() {
            tokio::select! {
                () = sleep(UNREAD) => {}
                () = self.shutdown.begun() => return None,
            }
        }
        let width = self.interval.width();
        let end = self.interval.bin(now().saturating_sub(AFTER)) + width;
        let wait = (end + AFTER).saturating_sub(now());
        tokio::select! {
            () = sleep(Duration::from_millis(wait)) => {}
            () = self.shutdown.begun() => return None,
        }
        let bins: Vec<Value> = (0..=AGAIN)
            .rev()
            .filter_map(|back| end.checked_sub((back + 1) * width))
            .map(|at| self.bin(at))
            .collect();
        let names: Vec<String> = self.whats.iter().map(name_of).collect();
        Some(json!({ "interval": self.interval.name(), "of": names, "bins": bins }))
    }

    /// A bin: when it starts, and of each series the value and the number of people.
    fn bin(&self, at: u64) -> Value {
        let points = self.statistics.latest(&self.channel, &self.whats, self.interval, at);
        let value = |(what, point): (&What, Option<heat_engine::Point>)| match (what, point) {
            (What::Output(_), point) => json!(point.map(|it| [level(it.count)])),
            (_, Some(it)) => json!([it.count, it.people]),
            (_, None) => json!([0, 0]),
        };
        let values: Vec<Value> = self.whats.iter().zip(points).map(value).collect();
        json!({ "at": at, "values": values })
    }
}
