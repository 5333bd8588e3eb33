//! Events: where they come from, what is refused, and what rules answer to them.

use heat_engine::Decision;
use heat_engine::wit::{Effect, Happening};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventSource {
    /// A line of chat.
    Chat,
    /// Other notices in chat: subscriptions, gifts, cheers, raids.
    Notice,
    Mqtt,
    Timer,
    /// A caller of the API.
    Api,
    /// A sign that a stream starts or ends, seen in another event or in silence.
    Stream,
}

const SOURCES: [(EventSource, &str); 6] = [
    (EventSource::Chat, "chat"),
    (EventSource::Notice, "notice"),
    (EventSource::Mqtt, "mqtt"),
    (EventSource::Timer, "timer"),
    (EventSource::Api, "api"),
    (EventSource::Stream, "stream"),
];

impl EventSource {
    /// Where an event of this kind comes from, if nothing else is known of it.
    pub(crate) fn of(what: &Happening) -> Self {
        match what {
            Happening::Chat(_) | Happening::Command(_) => Self::Chat,
            Happening::Mqtt(_) => Self::Mqtt,
            Happening::Timer(_) => Self::Timer,
            Happening::StreamStart | Happening::StreamEnd => Self::Stream,
            _ => Self::Notice,
        }
    }
}

/// Why something that came in was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RejectReason {
    /// From chat: no IRC message, or a line that is too long to be one.
    BadLine,
    /// A moderators' command, given by somebody else.
    NotAllowed,
    /// A sign of the stream that says neither start nor end.
    UnclearSign,
    /// An MQTT message whose topic is not UTF-8.
    BadTopic,
}

const REFUSALS: [(RejectReason, &str); 4] = [
    (RejectReason::BadLine, "bad_line"),
    (RejectReason::NotAllowed, "not_allowed"),
    (RejectReason::UnclearSign, "unclear_sign"),
    (RejectReason::BadTopic, "bad_topic"),
];

/// What a rule can answer, in the order of [`place_of`].
const EFFECTS: [&str; 11] =
    ["put", "delete", "fave", "weigh", "drop", "show", "publish", "say", "wake", "clip", "reply"];

fn place_of(effect: &Effect) -> usize {
    match effect {
        Effect::Put(_) => 0,
        Effect::Delete(_) => 1,
        Effect::Fave(_) => 2,
        Effect::Weigh(_) => 3,
        Effect::Drop => 4,
        Effect::Show(_) => 5,
        Effect::Publish(_) => 6,
        Effect::Say(_) => 7,
        Effect::Wake(_) => 8,
        Effect::Clip(_) => 9,
        Effect::Reply(_) => 10,
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BySource {
    source: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByReason {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
}

/// One counter for each value of a label, found by its place: counting looks nothing up.
pub(super) struct Events {
    pub(super) chat_lines: Counter,
    pub(super) duplicates: Counter,
    sources: Vec<Counter>,
    refusals: Vec<Counter>,
    effects: Vec<Counter>,
}

impl Events {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (events, refused, effects) =
            (Family::default(), Family::default(), Family::<ByKind, Counter>::default());
        registry.register(
            "events",
            "Events that the engine took, those that it knew already too",
            events.clone(),
        );
        registry.register(
            "events_refused",
            "What came in and is no event, or not the one that it wants to be",
            refused.clone(),
        );
        registry.register("effects", "What rules answered, and what was taken", effects.clone());
        let (chat_lines, duplicates) = (Counter::default(), Counter::default());
        registry.register("chat_lines", "Chat lines taken in", chat_lines.clone());
        registry.register(
            "duplicate_events",
            "Events that were told twice and counted once",
            duplicates.clone(),
        );
        let of = |family: &Family<BySource, Counter>, source| {
            family.get_or_create_owned(&BySource { source })
        };
        let why = |family: &Family<ByReason, Counter>, reason| {
            family.get_or_create_owned(&ByReason { reason })
        };
        Self {
            chat_lines,
            duplicates,
            sources: SOURCES.iter().map(|(_, name)| of(&events, name)).collect(),
            refusals: REFUSALS.iter().map(|(_, name)| why(&refused, name)).collect(),
            effects: EFFECTS
                .iter()
                .map(|kind| effects.get_or_create_owned(&ByKind { kind }))
                .collect(),
        }
    }

    pub(super) fn came(&self, source: EventSource) {
        let place = SOURCES.iter().position(|(it, _)| *it == source);
        place.map(|place| self.sources[place].inc());
    }

    pub(super) fn refused(&self, why: RejectReason, times: u64) {
        let place = REFUSALS.iter().position(|(it, _)| *it == why);
        place.map(|place| self.refusals[place].inc_by(times));
    }

    pub(super) fn decided(&self, decision: &Decision) {
        self.duplicates.inc_by(u64::from(decision.duplicate));
        let taken = decision.answers.iter().filter_map(|answer| answer.outcome.as_ref().ok());
        for effect in taken.flatten() {
            self.effects[place_of(effect)].inc();
        }
    }
}
