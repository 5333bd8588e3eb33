//! `GET /watch`: the feed as server-sent events, one JSON object each.
//!
//! First come the last lines, where they are wished, and the present outputs and streams, then what happens. Outputs and streams are values: if one changes faster than the watcher reads, the
//! watcher gets its last value only. A watch ends when its token is revoked or expires.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use heat_engine::Outputs;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use crate::data::role::Role;
use crate::data::tokens::Caller;
use crate::http::api::Api;
use crate::http::form::ndjson::blocking;
use crate::http::form::problem::Problem;
use crate::http::form::query::Query;
use crate::http::form::redact;
use crate::shutdown::Shutdown;
use crate::view::feed::{Entry, EntryKind, States, is_of_rule};
use crate::view::past::{Past, ToldEntries};
use crate::view::registry::ChannelRegistry;
use crate::view::removals::Removals;

/// How often an empty event shows that the connection is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// How many of the last lines of each channel are told at most.
pub(crate) const MOST_LAST: usize = 500;

/// After this many entries in a row, values are looked at, so that a busy chat cannot delay them.
const TURN: u32 = 64;

/// `GET /watch`
pub(crate) async fn follow(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    mut query: Query,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let channel = query.channel()?;
    let last = query.count("last", 0, MOST_LAST)?;
    query.end()?;
    let listed = |name: String| api.registry.find(&name).ok_or_else(|| Problem::no_channel(&name));
    let channel = channel.map(listed).transpose()?.map(|it| Arc::clone(&it.channel));
    let Some(permit) = api.limits.watch(caller.role) else {
        return Err(Problem::too_many_watch(caller.role.name()));
    };
    debug!(channel = channel.as_deref().unwrap_or("all"), "somebody watches");
    let is_public = caller.role == Role::Viewer;
    let ended = Box::pin(Arc::clone(&api.tokens).ended(caller));
    let mut watcher = Watcher::new(&api, channel);
    // To a viewer nothing would be left of it.
    if last > 0 && !is_public {
        watcher.look_back(&api, last).await?;
    }
    let watching = (watcher, ended, permit);
    let stream = unfold(watching, move |(mut watcher, mut ended, permit)| async move {
        let entry = tokio::select! {
            () = &mut ended => None,
            entry = watcher.next() => entry,
        }?;
        let shown = if is_public { redact::entry(&entry) } else { Cow::Borrowed(&*entry) };
        // Entries are strings and numbers, which always become JSON.
        let text = serde_json::to_string(&*shown).unwrap_or_default();
        Some((Ok(Event::default().data(text)), (watcher, ended, permit)))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)))
}

/// Follows the feed of one channel, or of all.
pub(crate) struct Watcher {
    /// None: all channels.
    channel: Option<Arc<str>>,
    registry: Arc<ChannelRegistry>,
    entries: broadcast::Receiver<Arc<Entry>>,
    outputs: watch::Receiver<Arc<Outputs>>,
    states: watch::Receiver<Arc<States>>,
    /// The values that this watcher was sent last.
    told: BTreeMap<(Arc<str>, Option<String>), EntryKind>,
    waiting: VecDeque<Arc<Entry>>,
    past: Option<ToldEntries>,
    removals: Arc<Removals>,
    in_a_row: u32,
    /// The shortest time between two looks at the values, and when the last one was.
    rest: Duration,
    looked: Instant,
    shutdown: Shutdown,
}

impl Watcher {
    /// A watcher of one channel that gets only faves, faults, and (rate-limited) values.
    pub(crate) fn of_updates(api: &Api, channel: Arc<str>, rest: Duration) -> Self {
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
            past: None,
            removals: Arc::clone(&api.removals),
            in_a_row: 0,
            rest: Duration::ZERO,
            looked: Instant::now(),
            shutdown: api.shutdown.clone(),
        };
        watcher.look();
        watcher
    }

    /// Queues the last lines of each channel. What comes meanwhile waits, and is told once.
    async fn look_back(&mut self, api: &Arc<Api>, most: usize) -> Result<(), Problem> {
        let mut channels = match &self.channel {
            Some(channel) => vec![Arc::clone(channel)],
            None => self.registry.names(),
        };
        channels.retain(|channel| !api.without_history.contains(&**channel));
        let found = {
            let api = Arc::clone(api);
            let turn = api.limits.question().await;
            blocking(turn, move || {
                let snapshot =
                    api.live.on_engine_thread("watch.past", |access| access.engine.snapshot())?;
                let past = Past { colours: &api.feed.colours, removals: &api.removals };
                Ok(past.entries(&snapshot, &channels, most)?)
            })
            .await?
        };
        self.past = Some(ToldEntries::of(&found));
        let what = EntryKind::Past { entries: found.len() };
        let past = Entry { channel: Arc::from(""), what };
        // Behind the greeting, before the values.
        let values = self.waiting.split_off(1);
        self.waiting.push_back(Arc::new(past));
        self.waiting.extend(found.into_iter().chain(values));
        Ok(())
    }

    fn was_told(&self, entry: &Entry) -> bool {
        self.past.as_ref().is_some_and(|past| past.has(entry))
    }

    /// The next entry. None when heatd stops.
    pub(crate) async fn next(&mut self) -> Option<Arc<Entry>> {
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
                // In this order: entries first, then the values that they changed, and the end of heatd last.
                biased;
                entry = self.entries.recv() => match entry {
                    Ok(entry) if self.wants(&entry.channel) && !self.was_told(&entry) => {
                        self.in_a_row += 1;
                        return Some(self.removals.marked(entry));
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

    /// Queues the present values that this watcher does not have yet.
    fn look(&mut self) {
        (self.in_a_row, self.looked) = (0, Instant::now());
        let streams = Arc::clone(&self.states.borrow_and_update());
        // Channels may have been added or removed.
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
        // A watcher that never got an output need not hear that it is gone.
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
