//! The engine: takes events one at a time, decides, and commits what was decided as one transaction.
//!
//! It has one owner, which calls it from one thread. Time is an argument of every call that needs it.

mod audit;
mod breakers;
mod checkpoints;
pub(crate) mod commit;
pub(crate) mod forget;
pub(crate) mod import;
pub(crate) mod inside;
mod instances;
mod marks;
pub(crate) mod members;
pub(crate) mod outputs;
mod overrides;
pub(crate) mod rename;
pub(crate) mod request;
mod retry;
mod seen;
mod series;
mod slots;
pub(crate) mod status;
pub(crate) mod swap;
mod timers;
pub(crate) mod undo;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::chain::pending::{Pending, Say};
use crate::chain::slot::Slot;
use crate::chain::stream::{HOST, note_stream};
use crate::chain::{Channel, Decision, For};
use crate::contract::{Event, Happening};
use crate::engine::seen::{Seen, WINDOW_MS};
use crate::error::{LoadError, StoreError};
use crate::guest::rule::Rule;
use crate::guest::sandbox::Sandbox;
use crate::overlay::Overlay;
use crate::overlay::waiting::Waiting;
use crate::series::counting::Counting;
use crate::store::Store;
use crate::store::disk::DiskUse;
use crate::store::log::LogEncoder;
use crate::store::record::Record;
use crate::store::snapshot::Snapshot;
use crate::store::tables::Stream;

/// The rules of one channel, by slot, in order.
pub struct Chain {
    /// Login of the channel, in lower case.
    pub channel: String,
    /// Slot and rule. Multipliers weigh a fave in this order.
    pub rules: Vec<(String, Rule)>,
}

/// Every output that was ever shown: (channel, name) to its text, or none when it was taken back.
pub type Outputs = BTreeMap<(Arc<str>, String), Option<String>>;

/// Why the engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A rule that cannot take over the stored state.
    #[error("the rule in slot {slot} of channel {channel} cannot start: {error}")]
    Rule {
        /// Login of the channel.
        channel: String,
        /// The slot.
        slot: String,
        /// What is wrong.
        error: LoadError,
    },
}

/// The rules and the state of all channels.
pub struct Engine {
    sandbox: Arc<Sandbox>,
    store: Store,
    channels: HashMap<Arc<str>, Channel>,
    pending: Pending,
    outputs: Outputs,
    streams: BTreeMap<Arc<str>, Stream>,
    seen: Seen,
    next_record: u64,
    /// Makes blocks of the log. A run has none.
    log: Option<LogEncoder>,
    /// The engine's time, which never runs backwards in any channel.
    now: u64,
    /// How many of the pending records somebody has been told.
    published: usize,
    /// How many swaps have begun.
    swaps: u64,
    /// The highest generation that a swap was given.
    generations: u64,
    /// When the state of a channel was last kept. A run has no checkpoints: it keeps nothing.
    checkpoints: Option<BTreeMap<Arc<str>, u64>>,
    /// How often a slot was changed.
    slot_changes: u64,
    /// What is counted over time. A run has none.
    series: Option<Counting>,
    /// How many of the pending records are in the series.
    counted: usize,
    /// Logins that an import knows without an id, by channel. The first person who is seen with such a login gets what was imported for it.
    awaited: HashMap<Arc<str>, HashSet<String>>,
    /// Those of them who were named since the last commit.
    unnamed: Vec<(Arc<str>, String)>,
}

impl Engine {
    /// Opens the chains over the store, takes back the outputs of rules that are gone, and commits that.
    ///
    /// `now` is in milliseconds since 1970.
    pub fn open(
        sandbox: Arc<Sandbox>,
        store: Store,
        chains: Vec<Chain>,
        now: u64,
    ) -> Result<Self, OpenError> {
        let mut engine = Self::empty(sandbox, store, now, true)?;
        engine.checkpoints = Some(engine.pending.overlay().snapshot().newest_checkpoints()?);
        engine.series = Some(Counting::begin(engine.store.snapshot()?)?);
        for chain in chains {
            engine.add(chain)?;
        }
        engine.awaited = engine.pending.overlay().snapshot().awaited()?;
        engine.outputs = engine.adopt_outputs()?;
        engine.commit()?;
        engine.note_levels(&engine.outputs);
        Ok(engine)
    }

    /// Opens one chain over a store in memory, for a run.
    pub(crate) fn open_run(
        sandbox: Arc<Sandbox>,
        store: Store,
        chain: Chain,
        now: u64,
    ) -> Result<Self, OpenError> {
        let mut engine = Self::empty(sandbox, store, now, false)?;
        engine.add(chain)?;
        engine.commit()?;
        Ok(engine)
    }

    fn empty(
        sandbox: Arc<Sandbox>,
        store: Store,
        now: u64,
        is_logged: bool,
    ) -> Result<Self, StoreError> {
        let snapshot = store.snapshot()?;
        let newest = snapshot.newest()?;
        let mut seen = Seen::default();
        // However long it was away: what was not acknowledged before comes again now.
        let start = now.max(newest);
        snapshot.each_id_since(newest.saturating_sub(WINDOW_MS), |channel, id| {
            seen.insert(start, channel, id);
        })?;
        let next_record = snapshot.meta("next-record")?;
        let (number, bytes) = snapshot.outbox_size()?;
        let outbox = Waiting { number, bytes };
        let clips = snapshot.clips()?;
        let streams = snapshot.streams()?.into_iter().map(|(channel, it)| (channel.into(), it));
        let streams = streams.collect();
        let pending = Pending::new(Overlay::new(snapshot)?, is_logged, outbox, clips);
        Ok(Self {
            sandbox,
            store,
            channels: HashMap::new(),
            pending,
            outputs: Outputs::new(),
            streams,
            seen,
            next_record,
            log: is_logged.then(LogEncoder::new).transpose()?,
            now: start,
            published: 0,
            swaps: 0,
            generations: 0,
            checkpoints: None,
            slot_changes: 0,
            series: None,
            counted: 0,
            awaited: HashMap::new(),
            unnamed: Vec::new(),
        })
    }

    /// Decides on one event. Nothing of it is outside before [`Engine::commit`].
    ///
    /// `now` is in milliseconds since 1970; where it is behind the engine's time, that stands still.
    pub fn handle(&mut self, now: u64, event: Event) -> Result<Decision, StoreError> {
        self.claim_imported_counts(now, &event)?;
        let place = self.pending.records().len();
        let decision = self.decide(now, &event)?;
        if !decision.duplicate && self.channels.contains_key(event.channel.as_str()) {
            // What came of the event stands after it.
            let now = self.now;
            self.pending.record_at(place, || Record::Event { now, event: Box::new(event) });
            self.trip_breakers(&decision)?;
            self.note_unnamed(&decision)?;
        }
        Ok(decision)
    }

    /// As [`Engine::handle`], for a run: the event is not logged, and failures turn no rule off.
    pub(crate) fn decide(&mut self, now: u64, event: &Event) -> Result<Decision, StoreError> {
        let Some(channel) = self.channels.get_mut(event.channel.as_str()) else {
            return Ok(Decision::default());
        };
        self.now = self.now.max(now);
        if !self.seen.insert(self.now, &event.channel, &event.id) {
            return Ok(Decision { duplicate: true, ..Decision::default() });
        }
        if !note_stream(&mut self.streams, &mut self.pending, &channel.name, self.now, &event.what)
        {
            return Ok(Decision { duplicate: true, ..Decision::default() });
        }
        // Whoever sent an MQTT message waits for the acknowledgement, and that for the commit.
        if matches!(event.what, Happening::Mqtt(_)) {
            self.pending.mark_urgent();
        }
        self.pending.took(size(event));
        channel.decide(&self.sandbox, &mut self.pending, self.now, event, For::Takers)
    }

    /// Every output, as of the last commit.
    pub fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// Whether the stream of a channel is live; none while nobody has said so.
    pub fn stream(&self, channel: &str) -> Option<Stream> {
        self.streams.get(channel).copied()
    }

    /// The channels, each with its rules by slot, in order.
    pub fn chains(&self) -> impl Iterator<Item = (&Arc<str>, Vec<(&Arc<str>, &Rule)>)> {
        self.channels.values().map(|channel| {
            let slots = channel.slots.iter().map(|slot| (&slot.key.slot, &slot.rule));
            (&channel.name, slots.collect())
        })
    }

    /// Says a line in chat in heatd's own name, after the next commit.
    pub fn say(&mut self, channel: &str, text: &str) {
        let (channel, text) = (channel.into(), text.to_owned());
        let (slot, at) = (HOST.into(), self.now);
        self.pending.say(Say { channel, slot, text, at, cause: None, is_reply: false });
    }

    /// The rules of a channel that run, by slot, in order.
    pub fn rules(&self, channel: &str) -> Option<Vec<(String, Rule)>> {
        let slots = self.channels.get(channel)?.slots.iter().filter(|slot| slot.breaker.is_on());
        Some(slots.map(|slot| (slot.key.slot.to_string(), slot.rule.clone())).collect())
    }

    /// The MQTT topic filters that rules take, with the channel of the rule.
    pub fn topics(&self) -> Vec<(Arc<str>, String)> {
        let of = |channel: &Channel| {
            let filters = channel.slots.iter().flat_map(|slot| slot.rule.interest.topics.clone());
            filters.map(|filter| (Arc::clone(&channel.name), filter)).collect::<Vec<_>>()
        };
        let mut topics: Vec<_> = self.channels.values().flat_map(of).collect();
        topics.sort();
        topics.dedup();
        topics
    }

    fn slot(&self, channel: &str, slot: &str) -> Option<&Slot> {
        self.channels.get(channel)?.slots.iter().find(|it| *it.key.slot == *slot)
    }

    fn slot_mut(&mut self, channel: &str, slot: &str) -> Option<&mut Slot> {
        self.channels.get_mut(channel)?.slots.iter_mut().find(|it| *it.key.slot == *slot)
    }

    /// Messages that no broker has acknowledged.
    pub fn outbox(&self) -> u64 {
        self.pending.outbox().number
    }

    /// What was written to the store's file since it was opened.
    pub fn disk(&self) -> DiskUse {
        self.store.disk()
    }

    /// The store as of the last commit.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.store.snapshot()
    }

    /// Deletes what the log holds from before this time, but for the chains that were live then, and what series need after a start;
    /// says how many blocks that were.
    pub fn expire_log(&mut self, before: u64) -> Result<u64, StoreError> {
        self.store.expire_log(self.not_needed(before))
    }
}

/// Roughly how large an event is in memory and in the log, in bytes.
fn size(event: &Event) -> usize {
    const REST: usize = 200;
    let text = match &event.what {
        Happening::Chat(line) => line.text.len() + 60 * line.emotes.len(),
        Happening::Mqtt(message) => message.payload.len() * 2,
        _ => 0,
    };
    REST + text
}
