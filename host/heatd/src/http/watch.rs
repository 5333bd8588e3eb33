//! `GET /api/v1/watch`: the feed as server-sent events, one JSON object each.
//!
//! First what stands now, then what happens. Outputs and streams are followed as values: one that changes faster than the
//! watcher reads is told with its last value only. A watch ends with the token that began it.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use heat_engine::Outputs;
use serde::Deserialize;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::asked::read;
use super::problem::Problem;
use super::{Api, public};
use crate::data::role::Role;
use crate::data::tokens::Caller;
use crate::shutdown::Shutdown;
use crate::view::feed::{Entry, EntryKind, States, is_of_rule};
use crate::view::registry::ChannelRegistry;

/// How often a watcher hears that the connection is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// After so many entries in a row the values get their turn, however much happens.
const TURN: u32 = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    channel: Option<String>,
}

pub(super) async fn watch(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let asked = read(asked)?;
    let channel = match asked.channel {
        None => None,
        Some(name) => {
            let name = name.trim_start_matches('#').to_lowercase();
            let listed = api.registry.find(&name).ok_or_else(|| Problem::no_channel(&name))?;
            Some(Arc::clone(&listed.channel))
        }
    };
    let Some(seat) = api.seats.take(caller.role) else {
        return Err(Problem::too_many_watch(caller.role.name()));
    };
    debug!(channel = channel.as_deref().unwrap_or("all"), "somebody watches");
    let is_public = caller.role == Role::Viewer;
    let ended = Box::pin(Arc::clone(&api.tokens).ended(caller));
    let watching = (Watcher::new(&api, channel), ended, seat);
    let stream = unfold(watching, move |(mut watcher, mut ended, seat)| async move {
        let entry = tokio::select! {
            () = &mut ended => None,
            entry = watcher.next() => entry,
        }?;
        let shown = if is_public { public::entry(&entry) } else { Cow::Borrowed(&*entry) };
        // Entries are strings and numbers, which always become JSON.
        let text = serde_json::to_string(&*shown).unwrap_or_default();
        Some((Ok(Event::default().data(text)), (watcher, ended, seat)))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)))
}

/// Follows the feed of one channel, or of all.
pub(super) struct Watcher {
    /// None: all of them.
    channel: Option<Arc<str>>,
    registry: Arc<ChannelRegistry>,
    entries: broadcast::Receiver<Arc<Entry>>,
    outputs: watch::Receiver<Arc<Outputs>>,
    states: watch::Receiver<Arc<States>>,
    /// EntryKind this watcher was told that outputs show and streams are.
    told: BTreeMap<(Arc<str>, Option<String>), EntryKind>,
    waiting: VecDeque<Arc<Entry>>,
    in_a_row: u32,
    /// How long values rest after they were looked at, and when that was.
    rest: Duration,
    looked: Instant,
    shutdown: Shutdown,
}

impl Watcher {
    /// One of a channel who is told of faves and faults alone, and of values after a rest.
    pub(super) fn of_news(api: &Api, channel: Arc<str>, rest: Duration) -> Self {
        let entries = api.feed.subscribe_to_news();
        Self { entries, rest, ..Self::new(api, Some(channel)) }
    }

    fn new(api: &Api, channel: Option<Arc<str>>) -> Self {
        let channels = match &channel {
            Some(channel) => vec![Arc::clone(channel)],
            None => api.registry.names(),
        };
        let names = channels.iter().map(ToString::to_string).collect();
        let what = EntryKind::Hello { version: env!("CARGO_PKG_VERSION"), channels: names };
        let hello = Entry { channel: Arc::from(""), what };
        let mut watcher = Self {
            channel,
            registry: Arc::clone(&api.registry),
            entries: api.feed.subscribe(),
            outputs: api.outputs.clone(),
            states: api.states.clone(),
            told: BTreeMap::new(),
            waiting: VecDeque::from([Arc::new(hello)]),
            in_a_row: 0,
            rest: Duration::ZERO,
            looked: Instant::now(),
            shutdown: api.shutdown.clone(),
        };
        watcher.look();
        watcher
    }

    /// The next entry; none when heatd stops.
    pub(super) async fn next(&mut self) -> Option<Arc<Entry>> {
        loop {
            if let Some(entry) = self.waiting.pop_front() {
                return Some(entry);
            }
            if self.in_a_row >= TURN {
                self.look();
                continue;
            }
            let wakes = self.looked + self.rest;
            let rests = Instant::now() < wakes;
            tokio::select! {
                // EntryKind happened comes before what it changed, and the end comes after all of it.
                biased;
                entry = self.entries.recv() => match entry {
                    Ok(entry) if self.wants(&entry.channel) => {
                        self.in_a_row += 1;
                        return Some(entry);
                    }
                    Ok(_) => self.in_a_row += 1,
                    Err(broadcast::error::RecvError::Lagged(entries)) => {
                        let what = EntryKind::Missed { entries };
                        return Some(Arc::new(Entry { channel: Arc::from(""), what }));
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                changed = self.outputs.changed(), if !rests => {
                    changed.ok()?;
                    self.look();
                }
                changed = self.states.changed(), if !rests => {
                    changed.ok()?;
                    self.look();
                }
                () = sleep_until(wakes), if rests => {}
                () = self.shutdown.begun() => return None,
            }
        }
    }

    fn wants(&self, channel: &str) -> bool {
        self.channel.as_ref().is_none_or(|wanted| **wanted == *channel)
    }

    /// Lines up what outputs and streams are now, where that is news to this watcher.
    fn look(&mut self) {
        (self.in_a_row, self.looked) = (0, Instant::now());
        let streams = Arc::clone(&self.states.borrow_and_update());
        // Channels may have come or gone.
        let channels = match &self.channel {
            Some(channel) => vec![Arc::clone(channel)],
            None => self.registry.names(),
        };
        for channel in channels {
            let what = EntryKind::stream(streams.get(&channel).copied());
            self.tell(channel, None, what);
        }
        let outputs = Arc::clone(&self.outputs.borrow_and_update());
        for ((channel, name), text) in &*outputs {
            if self.wants(channel) && is_of_rule(name) {
                let what = EntryKind::Output { name: name.clone(), text: text.clone() };
                self.tell(Arc::clone(channel), Some(name.clone()), what);
            }
        }
    }

    fn tell(&mut self, channel: Arc<str>, output: Option<String>, what: EntryKind) {
        let key = (Arc::clone(&channel), output);
        // An output that was taken back before the watch began is no news.
        let gone = matches!(what, EntryKind::Output { text: None, .. });
        let news = match self.told.get(&key) {
            Some(told) => *told != what,
            None => !gone,
        };
        if news {
            self.told.insert(key, what.clone());
            self.waiting.push_back(Arc::new(Entry { channel, what }));
        }
    }
}
