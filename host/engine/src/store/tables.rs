//! The tables of the store, listed once, and the keys of their rows.

use std::sync::Arc;

use redb::TableDefinition;

pub(crate) type Text = &'static str;
pub(crate) type Bytes = &'static [u8];

/// Calls a macro with every table: the field of a snapshot, the constant, the name in the file, and the types of keys and values. What
/// opens, counts or copies all tables is made from this list, so that none is forgotten.
macro_rules! tables {
    ($each:ident) => {
        $each! {
            /// (channel, slot, generation, key) -> value: the rules' own state.
            state STATE "state": (Text, Text, u64, Text) => Bytes;
            /// (channel, slot) -> (generation, state version, name of the rule): whose state the slot goes on with.
            slots SLOTS "slots": (Text, Text) => (u64, u32, Text);
            /// Digest -> compressed bytes: every component that was ever live.
            components COMPONENTS "components": Bytes => Bytes;
            /// (channel, slot) -> what was changed while running.
            slot_overrides SLOT_OVERRIDES "changed": (Text, Text) => Bytes;
            /// Channel -> that it was added or removed while running.
            channel_overrides CHANNEL_OVERRIDES "membership": Text => Bytes;
            /// Number -> one entry of the audit log.
            audit AUDIT "audit": u64 => Bytes;
            /// Number -> a call that had no effects, with its event.
            dead_letters DEAD_LETTERS "letters": u64 => Bytes;
            /// (channel, number of the next record) -> (time, the state of all rules then).
            checkpoints CHECKPOINTS "checkpoints": (Text, u64) => (u64, Bytes);
            /// (channel, kind of count, person, item) -> (faves, weight, people).
            tallies TALLIES "tallies": (Text, u8, Text, Text) => (u64, i64, u32);
            /// (channel, person's id) -> (login, name), as last seen with a fave.
            people PEOPLE "people": (Text, Text) => (Text, Text);
            /// (channel, person's id, when another login was first seen with a fave) -> (login, name): what somebody was called before.
            former_names FORMER_NAMES "former-names": (Text, Text, u64) => (Text, Text);
            /// (channel, source, person's id, item) -> (faves, weight): what imports have added, as their files had it.
            imported IMPORTED "imported": (Text, Text, Text, Text) => (u64, i64);
            /// (channel, output) -> (slot that shows it, text). No text: it has been taken back.
            outputs OUTPUTS "outputs": (Text, Text) => (Text, Option<Text>);
            /// (channel, slot, generation, name) -> time.
            timers TIMERS "timers": (Text, Text, u64, Text) => u64;
            /// Channel -> (whether the stream is live, since when): as far as anybody has said.
            streams STREAMS "streams": Text => (bool, u64);
            /// Number -> (topic, payload): messages that no broker has acknowledged.
            outbox OUTBOX "outbox": u64 => (Text, Bytes);
            /// Number -> (channel, title, seconds): clips that nobody has made yet.
            clips CLIPS "clips": u64 => (Text, Text, u32);
            /// Number of the first record -> (first time, last time, records, compressed records).
            log LOG "log": u64 => (u64, u64, u32, Bytes);
            /// Number -> (kind, name, the provider's id): what the numbers in blocks of series stand for.
            names NAMES "series-names": u32 => (u8, Text, Text);
            /// (channel, resolution, start in milliseconds) -> the block of a series.
            blocks BLOCKS "series": (Text, u8, u64) => Bytes;
            /// Single numbers by name: `schema`, `schema-since` (the heatd that brought it), `next-record`, `next-send`, `newest` (time
            /// of the newest record), `identity` (by which exports name the store), `room:LOGIN` (Twitch's id of a channel). Copied last: without the schema, a copy that was
            /// broken off is no store.
            meta META "meta": Text => u64;
        }
    };
}
pub(crate) use tables;

macro_rules! definitions {
    ($($(#[$doc:meta])* $field:ident $name:ident $stored:literal: $key:ty => $value:ty;)*) => {$(
        $(#[$doc])*
        pub(crate) const $name: TableDefinition<'_, $key, $value> = TableDefinition::new($stored);
    )*};
}
tables!(definitions);

/// (channel, slot) -> (generation, state version), as schema version 1 had it.
pub(crate) const GENERATIONS: TableDefinition<'_, (Text, Text), (u64, u32)> =
    TableDefinition::new("generations");

/// Whose state it is: the state of a slot in a channel, in one generation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotKey {
    /// Login of the channel.
    pub channel: Arc<str>,
    /// Name of the slot in the configuration.
    pub slot: Arc<str>,
    /// Rises when the state is taken over by another run of the chain.
    pub generation: u64,
}

impl SlotKey {
    /// Whether it is another generation of the same slot.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        self.channel == other.channel && self.slot == other.slot
    }
}

/// Whose state a slot goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) generation: u64,
    /// The state version of the rule.
    pub(crate) version: u32,
    /// The name of the rule; empty when it was written by a heatd that did not keep it.
    pub(crate) rule: String,
}

/// Whether a stream is live, as somebody has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Whether it has started and not ended.
    pub live: bool,
    /// When heatd heard of it, in milliseconds since 1970.
    pub since: u64,
}

/// Rows of the state, in order.
pub(crate) type StateRows<'a> = redb::Range<'a, (Text, Text, u64, Text), Bytes>;
