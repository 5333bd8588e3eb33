//! The engine: takes events one at a time, decides, and commits what was decided as one transaction.
//!
//! It has one owner, which calls it from one thread. Time is an argument of every call that needs it.

pub(crate) mod checkpoints;
pub(crate) mod emotes;
pub(crate) mod forget;
pub(crate) mod import;
pub(crate) mod judge;
pub(crate) mod marks;
pub(crate) mod members;
pub(crate) mod outputs;
pub(crate) mod retry;
pub(crate) mod seen;
pub(crate) mod series;
pub(crate) mod settle;
pub(crate) mod standing;
pub(crate) mod swap;
pub(crate) mod undo;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::chain::pending::{Pending, Say};
use crate::chain::slot::Slot;
use crate::chain::timers::Timers;
use crate::chain::{Channel, Decision, For};
use crate::contract::{Event, Happening, Message};
use crate::engine::outputs::note_stream;
use crate::engine::seen::{Seen, WINDOW_MS};
use crate::engine::series::Counting;
use crate::error::{LoadError, StoreError};
use crate::guest::rule::Rule;
use crate::guest::sandbox::Sandbox;
use crate::overlay::{Overlay, Written};
use crate::store::Store;
use crate::store::disk::DiskUse;
use crate::store::log::{Block, Ratio, Record};
use crate::store::tables::{SlotKey, Snapshot, Stream};

/// The rules of one channel, by slot, in order.
pub struct Chain {
    /// Login of the channel, in lower case.
    pub channel: String,
    /// Slot and rule. Multipliers weigh a fave in this order.
    pub rules: Vec<(String, Rule)>,
}

/// What the owner has to do after a commit. All of it is durable.
#[derive(Debug, Default)]
pub struct Committed {
    /// Whether an output has changed; [`Engine::outputs`] has them all.
    pub outputs_changed: bool,
    /// Messages to publish at least once, with the number to pass to [`Engine::sent`] once a broker has acknowledged.
    pub messages: Vec<(u64, Message)>,
    /// Messages to publish at most once: what cannot be sent now is not sent.
    pub passing: Vec<Message>,
    /// Chat lines to say.
    pub says: Vec<Say>,
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

/// More records than this are committed before more is taken in.
const FULL_RECORDS: usize = 4096;

/// So are more bytes of events than this.
const FULL_BYTES: usize = 4 << 20;

/// The rules and the state of all channels.
pub struct Engine {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) store: Store,
    pub(crate) channels: HashMap<Arc<str>, Channel>,
    pub(crate) pending: Pending,
    outputs: Outputs,
    pub(crate) streams: BTreeMap<Arc<str>, Stream>,
    seen: Seen,
    next_record: u64,
    /// How well the log compresses.
    ratio: Ratio,
    /// The engine's time, which never runs backwards in any channel.
    pub(crate) now: u64,
    /// How many of the pending records somebody has been told.
    told: usize,
    /// How many swaps have begun.
    pub(crate) swaps: u64,
    /// The highest generation that a swap was given.
    pub(crate) generations: u64,
    /// When the state of a channel was last kept. A run has no checkpoints: it keeps nothing.
    pub(crate) checkpoints: Option<BTreeMap<Arc<str>, u64>>,
    /// How often a slot was changed.
    pub(crate) slot_changes: u64,
    /// What is counted over time. A run has none.
    pub(crate) series: Option<Counting>,
    /// How many of the pending records are in the series.
    pub(crate) counted: usize,
    /// Logins that an import knows without an id, by channel: who comes with one of them gets what was imported.
    pub(crate) awaited: HashMap<Arc<str>, HashSet<String>>,
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
        let mut engine = Self::empty(sandbox, store, now)?;
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

    /// Opens one chain over a store that nobody reads later: for a run.
    pub(crate) fn open_run(
        sandbox: Arc<Sandbox>,
        store: Store,
        chain: Chain,
        now: u64,
    ) -> Result<Self, OpenError> {
        let mut engine = Self::empty(sandbox, store, now)?;
        engine.pending.is_logged = false;
        engine.add(chain)?;
        engine.commit()?;
        Ok(engine)
    }

    fn empty(sandbox: Arc<Sandbox>, store: Store, now: u64) -> Result<Self, StoreError> {
        let snapshot = store.snapshot()?;
        let newest = snapshot.newest()?;
        let mut seen = Seen::default();
        // However long it was away: what was not acknowledged before comes again now.
        let start = now.max(newest);
        snapshot.each_id_since(newest.saturating_sub(WINDOW_MS), |channel, id| {
            seen.insert(start, channel, id);
        })?;
        let next_record = snapshot.meta("next-record")?;
        let outbox = snapshot.outbox()?.len() as u64;
        let clips = snapshot.clips()?;
        let streams = snapshot.streams()?.into_iter().map(|(channel, it)| (channel.into(), it));
        let streams = streams.collect();
        let pending = Pending {
            overlay: Some(Box::new(Overlay::new(snapshot)?)),
            timers: Timers::default(),
            records: Vec::new(),
            is_logged: true,
            says: Vec::new(),
            passing: Vec::new(),
            outbox,
            clips,
            bytes: 0,
            removals: VecDeque::new(),
            urgent: true,
            dirty: true,
        };
        Ok(Self {
            sandbox,
            store,
            channels: HashMap::new(),
            pending,
            outputs: Outputs::new(),
            streams,
            seen,
            next_record,
            ratio: Ratio::default(),
            now: start,
            told: 0,
            swaps: 0,
            generations: 0,
            checkpoints: None,
            slot_changes: 0,
            series: None,
            counted: 0,
            awaited: HashMap::new(),
        })
    }

    /// Decides on one event. Nothing of it is outside before [`Engine::commit`].
    ///
    /// `now` is in milliseconds since 1970; where it is behind the engine's time, that stands still.
    pub fn handle(&mut self, now: u64, event: Event) -> Result<Decision, StoreError> {
        self.welcome(now, &event)?;
        let place = self.pending.records.len();
        let decision = self.decide(now, &event)?;
        if !decision.duplicate && self.channels.contains_key(event.channel.as_str()) {
            // What came of the event stands after it.
            let now = self.now;
            self.pending.record_at(place, || Record::Event { now, event: Box::new(event) });
            self.judge(&decision)?;
        }
        Ok(decision)
    }

    /// As [`Engine::handle`], for a run: the event goes into no log, and nobody judges the rules.
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
        self.pending.urgent |= matches!(event.what, Happening::Mqtt(_));
        self.pending.bytes += size(event);
        self.pending.dirty = true;
        channel.decide(&self.sandbox, &mut self.pending, self.now, event, For::Takers)
    }

    /// Fires every timer that is due. One that came due long ago fires once, with the true time.
    pub fn fire(&mut self, now: u64) -> Result<Vec<Decision>, StoreError> {
        let mut decisions = Vec::new();
        while let Some((slot, name)) = self.pending.timers.pop_due(now) {
            self.now = self.now.max(now);
            decisions.extend(self.fire_one(&slot, name)?);
        }
        self.now = self.now.max(now);
        self.end_probations()?;
        self.pending.dirty |= self.has_to_close()?;
        Ok(decisions)
    }

    /// Fires one timer when the log says so. None: nobody has set it.
    pub(crate) fn fire_as_logged(
        &mut self,
        now: u64,
        channel: &str,
        slot: &str,
        name: &str,
    ) -> Result<Option<Decision>, StoreError> {
        self.now = self.now.max(now);
        let Some(key) = self.slot(channel, slot).map(|slot| Arc::clone(&slot.key)) else {
            return Ok(None);
        };
        if !self.pending.timers.is_set(&key, name) {
            return Ok(None);
        }
        self.pending.timers.set(&key, name, None);
        self.fire_one(&key, name.to_owned())
    }

    fn fire_one(
        &mut self,
        slot: &Arc<SlotKey>,
        name: String,
    ) -> Result<Option<Decision>, StoreError> {
        self.pending.overlay().set_timer(slot, name.clone(), None);
        self.pending.dirty = true;
        let Some(channel) = self.channels.get_mut(&slot.channel) else { return Ok(None) };
        let is_live = channel.slots.iter().any(|it| it.key == *slot);
        let now = self.now;
        let event = Event {
            id: format!("timer:{}:{name}:{now}", slot.slot),
            channel: channel.name.to_string(),
            at: now,
            what: Happening::Timer(name.clone()),
        };
        let place = self.pending.records.len();
        let target = For::Slot(slot);
        let decision = channel.decide(&self.sandbox, &mut self.pending, now, &event, target)?;
        if is_live {
            self.pending.record_at(place, || {
                let (channel, slot) = (slot.channel.to_string(), slot.slot.to_string());
                Record::Timer { now, channel, slot, name }
            });
        }
        self.judge(&decision)?;
        Ok(is_live.then_some(decision))
    }

    /// When the next timer comes due, in milliseconds since 1970.
    pub fn next_wake(&self) -> Option<u64> {
        self.pending.timers.next().into_iter().chain(self.next_probation_end()).min()
    }

    /// Whether something is decided and not committed.
    pub fn is_pending(&self) -> bool {
        self.pending.dirty
    }

    /// Whether something outside waits for the commit: a fave, an output, a message, an acknowledgement.
    pub fn is_urgent(&self) -> bool {
        self.pending.urgent
    }

    /// How many records wait for the commit.
    pub fn pending_records(&self) -> usize {
        self.pending.records.len()
    }

    /// Whether so much waits that it has to be committed before more is taken in: memory and blocks stay small.
    pub fn is_full(&self) -> bool {
        self.pending.records.len() >= FULL_RECORDS || self.pending.bytes >= FULL_BYTES
    }

    /// Writes all that was decided as one durable transaction, and returns what has to leave now.
    pub fn commit(&mut self) -> Result<Committed, StoreError> {
        self.end_group();
        self.check_series()?;
        self.count_series();
        if !self.pending.dirty {
            return Ok(Committed::default());
        }
        self.pending.remove_some()?;
        let blocks = match self.checkpoints {
            Some(_) => Block::encode_all(self.next_record, &self.pending.records, &mut self.ratio)?,
            None => Vec::new(),
        };
        let records: u64 = blocks.iter().map(|block| u64::from(block.records)).sum();
        let next_record = self.next_record + records;
        self.keep_checkpoints(next_record)?;
        let series = self.series.as_ref().map(|series| (series.shared(), self.now));
        let overlay = self.pending.overlay.as_deref();
        let overlay = overlay.expect("the overlay is lent only while a guest runs");
        self.store.commit(overlay, &blocks, series)?;
        self.next_record = next_record;
        let snapshot = self.store.snapshot()?;
        let Written { outputs, outbox } = self.pending.overlay().written(snapshot)?;
        let outputs_changed = !outputs.is_empty();
        let outputs: Outputs = outputs.into_iter().map(|(key, (_, text))| (key, text)).collect();
        if let Some(series) = &self.series {
            series.shared().written();
        }
        self.note_levels(&outputs);
        self.outputs.extend(outputs);
        self.pending.records.clear();
        (self.told, self.counted) = (0, 0);
        (self.pending.urgent, self.pending.bytes) = (false, 0);
        self.pending.dirty = !self.pending.removals.is_empty();
        let messages =
            outbox.into_iter().filter_map(|(number, message)| Some((number, message?))).collect();
        let says = std::mem::take(&mut self.pending.says);
        let passing = std::mem::take(&mut self.pending.passing);
        Ok(Committed { outputs_changed, messages, passing, says })
    }

    /// The records since this was asked last. What a commit has written before that was not told.
    pub fn untold(&mut self) -> &[Record] {
        let from = std::mem::replace(&mut self.told, self.pending.records.len());
        &self.pending.records[from..]
    }

    /// Ends the instances of the group, so that an idle daemon keeps none and nothing lives on in their memory.
    fn end_group(&mut self) {
        self.channels.values_mut().flat_map(|channel| &mut channel.slots).for_each(Slot::end_group);
    }

    /// A broker has acknowledged a message of the outbox.
    pub fn sent(&mut self, number: u64) {
        if self
            .pending
            .overlay()
            .outbox
            .insert(number, None)
            .is_none_or(|waiting| waiting.is_some())
        {
            self.pending.outbox = self.pending.outbox.saturating_sub(1);
        }
        self.pending.dirty = true;
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
        self.pending.says.push(Say { channel, text, at: self.now });
        (self.pending.urgent, self.pending.dirty) = (true, true);
    }

    /// The rules of a channel that run, by slot, in order.
    pub fn rules(&self, channel: &str) -> Option<Vec<(String, Rule)>> {
        let slots = self.channels.get(channel)?.slots.iter().filter(|slot| slot.conduct.is_on());
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

    /// Messages that no broker has acknowledged.
    pub fn outbox(&self) -> u64 {
        self.pending.outbox
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
