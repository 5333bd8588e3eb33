//! What a page shows besides its graph, sent in the stream of the graph: outputs, whether the stream is live, faves, faults, and how fast chat is.
//! Lines of chat are not part of it, so a hundred open pages cost little while thousands of people talk.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use heat_engine::{Resolution, Statistics, What};
use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::clock::now;
use crate::http::api::Api;
use crate::http::form::redact;
use crate::http::resources::watch::Watcher;

/// The rate of chat is the number of lines in this many seconds.
const WINDOW: u64 = 10;

/// How often the rate is sent, if it has changed.
const EVERY: Duration = Duration::from_secs(2);

/// The shortest time between two updates of outputs. Each has the last value.
const REST: Duration = Duration::from_millis(250);

pub(crate) struct Updates {
    watcher: Watcher,
    statistics: Statistics,
    channel: Arc<str>,
    tick: Interval,
    /// The rate that was sent last.
    told: Option<i64>,
    is_public: bool,
}

impl Updates {
    pub(crate) fn new(api: &Api, statistics: Statistics, channel: &str, is_public: bool) -> Self {
        let channel: Arc<str> = channel.into();
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watcher = Watcher::of_updates(api, Arc::clone(&channel), REST);
        Self { watcher, statistics, channel, tick, told: None, is_public }
    }

    /// The next update as JSON. None when heatd stops. Cancel safe: dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            tokio::select! {
                entry = self.watcher.next() => {
                    let entry = entry?;
                    let shown = match self.is_public {
                        true => redact::entry(&entry),
                        false => Cow::Borrowed(&*entry),
                    };
                    // Entries are strings and numbers, which always become JSON.
                    return Some(serde_json::to_string(&*shown).unwrap_or_default());
                }
                _ = self.tick.tick() => if let Some(rate) = self.rate() {
                    return Some(rate);
                }
            }
        }
    }

    /// The rate of chat, if it has changed.
    fn rate(&mut self) -> Option<String> {
        let width = Resolution::Second.width();
        let end = Resolution::Second.bin(now());
        let count = |back: u64| {
            let at = end.checked_sub(back * width)?;
            let found =
                self.statistics.latest(&self.channel, &[What::Messages], Resolution::Second, at);
            Some(found?.first().copied().flatten()?.count)
        };
        let lines = (1..=WINDOW).filter_map(count).sum();
        if self.told.replace(lines) == Some(lines) {
            return None;
        }
        let channel = &*self.channel;
        let rate = RateEvent { channel, kind: "rate", lines, seconds: WINDOW };
        // Texts and numbers always become JSON.
        Some(serde_json::to_string(&rate).unwrap_or_default())
    }
}

/// How many lines of chat there were in the last seconds.
#[derive(Serialize)]
struct RateEvent<'a> {
    channel: &'a str,
    kind: &'static str,
    lines: i64,
    seconds: u64,
}
