//! What a rule may use, in named numbers. A call that goes beyond one of them has no effects, and the log names the rule.

/// Five times what the dearest call within its fuel takes on a desk, or on a Raspberry Pi. A debug build is slower than either.
const SLOW_MS: u64 = match (cfg!(debug_assertions), cfg!(target_arch = "x86_64")) {
    (true, _) => 1000,
    (false, true) => 50,
    (false, false) => 250,
};

/// The limits of every call of a rule. Stack, memory reservation and the tick of the wall clock belong to the compiled
/// code and are constants of [`crate::guest::sandbox`].
#[derive(Debug, Clone)]
pub struct Limits {
    /// Instructions of one call, in wasmtime's fuel: one for each WebAssembly instruction and for each byte that is copied or filled, more
    /// for those that take longer. Views charge for what they read. 10 ms at most on a desk, whatever the instructions are.
    pub fuel: u64,
    /// Wall time of one call, in milliseconds. Fuel ends a busy rule first; this is for what fuel cannot see. Long enough for a
    /// Raspberry Pi that is busy starting: a call that waits for the processor must not be taken for one that does not end.
    pub wall_ms: u64,
    /// Processor time of one call, in milliseconds, beyond which it is slow. It counts all the same, and as many slow calls within a minute
    /// as `faults` turn the rule off: fuel cannot know what each instruction costs on each machine.
    pub slow_ms: u64,
    /// Instructions of a whole migration of a rule's state, which is a call for each key.
    pub migration_fuel: u64,
    /// Linear memory of one instance, in bytes. A component may be as large: making an instance copies what it brings along.
    pub memory: usize,
    /// Bytes that one call may hand over in arguments of views and in its answer.
    pub answer_bytes: usize,
    /// Effects of one call.
    pub effects: usize,
    /// Length of a key, an output's name, a timer's name, in bytes.
    pub key_bytes: usize,
    /// Length of a stored value or a published payload, in bytes.
    pub value_bytes: usize,
    /// Length of an output's text, an item or a chat line, in characters.
    pub text_chars: usize,
    /// Keys that one rule may keep in one channel.
    pub state_keys: u64,
    /// Bytes of keys and values that one rule may keep in one channel.
    pub state_bytes: u64,
    /// Bytes of keys and values that one rule may write at once in one channel, and that its allowance grows back to.
    pub written_at_once: u64,
    /// Bytes by which the allowance grows in a second of the engine's time: what a rule can write for ever.
    pub written_per_second: u64,
    /// Timers that one rule may have set in one channel.
    pub timers: usize,
    /// Messages of all rules that may wait for a broker to acknowledge them.
    pub outbox: u64,
    /// Bytes of these messages.
    pub outbox_bytes: u64,
    /// Faves that one call may ask for: each of them calls the multipliers and formulas.
    pub faves: usize,
    /// Chat lines of one call.
    pub says: usize,
    /// Outputs that one rule may show in one channel.
    pub outputs: usize,
    /// Clips that may wait to be made.
    pub clips: u64,
    /// Filters of the topics that the rule may publish to. None: it may publish nothing.
    pub publish: Vec<String>,
    /// Messages that one rule may publish at once in one channel, and that its allowance grows back to.
    pub messages_at_once: u64,
    /// Messages by which the allowance grows in a second of the engine's time: what a rule can publish for ever.
    pub messages_per_second: u64,
    /// Topics starting with this belong to heatd's own outputs: no rule publishes there. Empty: none do.
    pub reserved_topics: String,
    /// Failed calls within a minute that turn a rule off.
    pub faults: usize,
    /// Events that one instance is called for before it is made again.
    pub instance_events: u32,
    /// Log lines of one call.
    pub log_lines: u32,
    /// Log lines of a rule in one channel at once, and that its allowance grows back to.
    pub lines_at_once: u64,
    /// Lines by which the allowance grows in a second of the engine's time.
    pub lines_per_second: u64,
    /// Length of a log line, in bytes; longer ones are cut.
    pub log_line_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: 10_000_000,
            wall_ms: 1000,
            slow_ms: SLOW_MS,
            migration_fuel: 1_000_000_000,
            memory: 16 << 20,
            answer_bytes: 1 << 20,
            effects: 256,
            key_bytes: 256,
            value_bytes: 64 << 10,
            text_chars: 500,
            state_keys: 100_000,
            state_bytes: 16 << 20,
            written_at_once: 64 << 20,
            written_per_second: 2 << 20,
            timers: 32,
            outbox: 10_000,
            outbox_bytes: 8 << 20,
            faves: 16,
            says: 8,
            outputs: 64,
            clips: 100,
            publish: Vec::new(),
            messages_at_once: 1000,
            messages_per_second: 100,
            reserved_topics: String::new(),
            faults: 10,
            instance_events: 64,
            log_lines: 20,
            lines_at_once: 200,
            lines_per_second: 10,
            log_line_bytes: 1024,
        }
    }
}
