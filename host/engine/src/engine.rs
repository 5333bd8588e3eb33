//! The engine: takes events one at a time, decides, and commits what was decided as one transaction.
//!
//! It has one owner, which calls it from one thread. Time is an argument of every call that needs it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tracing::info;

use crate::channel::{Channel, Decision, For};
use crate::contract::{Event, Happening, Message};
use crate::error::{LoadError, StoreError};
use crate::log::{Block, Record};
use crate::overlay::{Overlay, Written};
use crate::pending::{Pending, Say};
use crate::rule::Rule;
use crate::sandbox::Sandbox;
use crate::seen::{Seen, WINDOW_MS};
use crate::slot::Slot;
use crate::store::Store;
use crate::tables::{Snapshot, Stream};
use crate::timers::Timers;

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

/// Who shows the outputs that no rule shows: `stream`, which says whether the channel is live. No slot may have this name.
pub const HOST: &str = "heatd";

/// The output of each channel that says `live`, `offline` or `unknown`.
pub const STREAM_OUTPUT: &str = "stream";

/// More records than this are committed before more is taken in.
const FULL_RECORDS: usize = 4096;

/// So are more bytes of events than this.
const FULL_BYTES: usize = 4 << 20;

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
    /// The engine's time, which never runs backwards in any channel.
    now: u64,
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
        let snapshot = store.snapshot()?;
        let newest = snapshot.newest()?;
        let now = now.max(newest);
        let mut seen = Seen::default();
        for record in snapshot.records_since(newest.saturating_sub(WINDOW_MS))? {
            if let Record::Event { now, event } = record {
                seen.insert(now, &event.channel, &event.id);
            }
        }
        let next_record = snapshot.meta("next-record")?;
        let outbox = snapshot.outbox()?.len() as u64;
        let clips = snapshot.clips()?;
        let streams = snapshot.streams()?.into_iter().map(|(channel, it)| (channel.into(), it));
        let streams = streams.collect();
        let pending = Pending {
            overlay: Some(Box::new(Overlay::new(snapshot)?)),
            timers: Timers::default(),
            records: Vec::new(),
            says: Vec::new(),
            passing: Vec::new(),
            outbox,
            clips,
            bytes: 0,
            urgent: true,
            dirty: true,
        };
        let channels = HashMap::new();
        let mut engine = Self {
            sandbox,
            store,
            channels,
            pending,
            outputs: Outputs::new(),
            streams,
            seen,
            next_record,
            now,
        };
        for chain in chains {
            engine.add(chain)?;
        }
        engine.outputs = engine.adopt_outputs()?;
        engine.commit()?;
        Ok(engine)
    }

    fn add(&mut self, chain: Chain) -> Result<(), OpenError> {
        let name: Arc<str> = chain.channel.to_lowercase().into();
        let mut slots = Vec::new();
        for (slot, rule) in chain.rules {
            let slot: Arc<str> = slot.into();
            let overlay =
                self.pending.overlay.as_mut().expect("the overlay is lent only while a guest runs");
            let opened =
                Slot::open(&self.sandbox, &name, &slot, rule, overlay, &mut self.pending.timers)?;
            let describe = |error| OpenError::Rule {
                channel: name.to_string(),
                slot: slot.to_string(),
                error,
            };
            slots.push(opened.map_err(describe)?);
        }
        let live = slots.iter().map(|slot| {
            (slot.key.slot.to_string(), slot.rule.digest(), (*slot.rule.settings).clone())
        });
        self.pending.record(Record::Chain {
            now: self.now,
            channel: name.to_string(),
            slots: live.collect(),
        });
        self.channels.insert(Arc::clone(&name), Channel { name, slots });
        Ok(())
    }

    /// The stored outputs, those of rules that are gone taken back.
    fn adopt_outputs(&mut self) -> Result<Outputs, StoreError> {
        let overlay =
            self.pending.overlay.as_mut().expect("the overlay is lent only while a guest runs");
        let mut outputs = Outputs::new();
        for ((channel, name), (slot, text)) in overlay.stored_outputs()? {
            let shown = self.channels.get(&channel).is_some_and(|channel| {
                *slot == *HOST || channel.slots.iter().any(|it| it.key.slot == slot)
            });
            if !shown && text.is_some() {
                info!(
                    channel = &*channel,
                    output = name,
                    rule = &*slot,
                    "output taken back: its rule is gone"
                );
                overlay.outputs.insert((Arc::clone(&channel), name.clone()), (slot, None));
            }
            outputs.insert((channel, name), text.filter(|_| shown));
        }
        for channel in self.channels.keys() {
            let state = state_name(self.streams.get(channel));
            show_stream(overlay, channel, state);
            outputs.insert((Arc::clone(channel), STREAM_OUTPUT.to_owned()), Some(state.to_owned()));
        }
        Ok(outputs)
    }

    /// Decides on one event. Nothing of it is outside before [`Engine::commit`].
    ///
    /// `now` is in milliseconds since 1970; where it is behind the engine's time, that stands still.
    pub fn handle(&mut self, now: u64, event: Event) -> Result<Decision, StoreError> {
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
        self.pending.bytes += size(&event);
        let decision =
            channel.decide(&self.sandbox, &mut self.pending, self.now, &event, For::Takers)?;
        let place = self.pending.records.len() - faults(&decision);
        self.pending.records.insert(place, Record::Event { now: self.now, event: Box::new(event) });
        self.pending.dirty = true;
        Ok(decision)
    }

    /// Fires every timer that is due. One that came due long ago fires once, with the true time.
    pub fn fire(&mut self, now: u64) -> Result<Vec<Decision>, StoreError> {
        let mut decisions = Vec::new();
        while let Some((slot, name)) = self.pending.timers.pop_due(now) {
            self.pending.overlay().set_timer(&slot, name.clone(), None);
            let Some(channel) = self.channels.get_mut(&slot.channel) else { continue };
            self.now = self.now.max(now);
            let now = self.now;
            let id = format!("timer:{}:{name}:{now}", slot.slot);
            let event = Event {
                id,
                channel: channel.name.to_string(),
                at: now,
                what: Happening::Timer(name.clone()),
            };
            let decision = channel.decide(
                &self.sandbox,
                &mut self.pending,
                now,
                &event,
                For::Slot(&slot.slot),
            )?;
            let place = self.pending.records.len() - faults(&decision);
            let (channel, slot) = (slot.channel.to_string(), slot.slot.to_string());
            self.pending.records.insert(place, Record::Timer { now, channel, slot, name });
            self.pending.dirty = true;
            decisions.push(decision);
        }
        Ok(decisions)
    }

    /// When the next timer comes due, in milliseconds since 1970.
    pub fn next_wake(&self) -> Option<u64> {
        self.pending.timers.next()
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
        if !self.pending.dirty {
            return Ok(Committed::default());
        }
        let block = Block::encode(self.next_record, &self.pending.records)?;
        self.store.commit(self.pending.overlay(), block.as_ref())?;
        self.next_record += block.map_or(0, |block| u64::from(block.records));
        let snapshot = self.store.snapshot()?;
        let Written { outputs, outbox } = self.pending.overlay().written(snapshot)?;
        let outputs_changed = !outputs.is_empty();
        self.outputs.extend(outputs.into_iter().map(|(key, (_, text))| (key, text)));
        self.pending.records.clear();
        (self.pending.urgent, self.pending.dirty, self.pending.bytes) = (false, false, 0);
        let messages =
            outbox.into_iter().filter_map(|(number, message)| Some((number, message?))).collect();
        let says = std::mem::take(&mut self.pending.says);
        let passing = std::mem::take(&mut self.pending.passing);
        Ok(Committed { outputs_changed, messages, passing, says })
    }

    /// Ends the instances of the group, so that an idle daemon keeps none and nothing lives on in their memory.
    fn end_group(&mut self) {
        self.channels.values_mut().flat_map(|channel| &mut channel.slots).for_each(Slot::end_group);
        self.sandbox.ticker().disarm();
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

    /// The store as of the last commit.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.store.snapshot()
    }

    /// Deletes what the log holds from before this time, but for the chains that were live then; says how many blocks
    /// that were.
    pub fn expire_log(&mut self, before: u64) -> Result<u64, StoreError> {
        self.store.expire_log(before)
    }
}

/// Takes note of a stream that starts or ends. False when that was known: then it is no event. Several may say so, a moderator
/// and a topic, each with an id of its own.
fn note_stream(
    streams: &mut BTreeMap<Arc<str>, Stream>,
    pending: &mut Pending,
    channel: &Arc<str>,
    now: u64,
    what: &Happening,
) -> bool {
    let live = match what {
        Happening::StreamStart => true,
        Happening::StreamEnd => false,
        _ => return true,
    };
    if streams.get(channel).is_some_and(|stream| stream.live == live) {
        return false;
    }
    let stream = Stream { live, since: now };
    streams.insert(Arc::clone(channel), stream);
    pending.overlay().streams.insert(Arc::clone(channel), stream);
    show_stream(pending.overlay(), channel, state_name(Some(&stream)));
    pending.urgent = true;
    true
}

fn show_stream(overlay: &mut Overlay, channel: &Arc<str>, state: &str) {
    let output = (Arc::clone(channel), STREAM_OUTPUT.to_owned());
    overlay.outputs.insert(output, (HOST.into(), Some(state.to_owned())));
}

/// The state of a stream in a word: `unknown` while nobody has said.
pub fn state_name(stream: Option<&Stream>) -> &'static str {
    match stream {
        None => "unknown",
        Some(Stream { live: true, .. }) => "live",
        Some(Stream { live: false, .. }) => "offline",
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

/// The records that a decision has made already: its event goes before them.
fn faults(decision: &Decision) -> usize {
    decision.answers.iter().filter(|answer| answer.outcome.is_err()).count()
}
