//! How often faves count: cooldowns, and once per item. What it has to remember is in the state, so a restart forgets nothing.

use heat_rule::state::{self, Stored};
use heat_rule::{Call, NewFave, Timestamp, counts};

use crate::configured::{Configured, Repeats};
use crate::{FaveRule, message, stream, sweep};

/// When the last fave of anybody counted.
const LAST: &str = "last";

/// What the keys of people start with; their id follows.
pub(crate) const PEOPLE: &str = "u";

/// How many items of a person are remembered in a stream; the oldest are forgotten.
const MOST_ITEMS: usize = 64;

/// What is remembered of a person.
#[derive(Default)]
pub(crate) struct Memory {
    /// When a fave of the person counted last.
    pub(crate) at: Timestamp,
    /// Which stream `items` belong to, by its start.
    pub(crate) stream: Timestamp,
    /// Digests of the items that the person faved in that stream.
    items: Vec<u64>,
}

/// Whether a fave may count now. If it may, that is remembered: one that does not count delays nobody.
pub(crate) fn pass(call: &mut Call<FaveRule>, settings: &Configured, fave: &NewFave) -> bool {
    // To take a fave back is no fave: it neither waits nor makes wait.
    if fave.weight < 0 {
        return true;
    }
    let (now, everybody) = (call.now(), settings.global_cooldown);
    if everybody > 0 && state::get(LAST).is_some_and(|last| cooling(now, last, everybody)) {
        return false;
    }
    if !message::is_nobodys(fave) && !pass_person(call, settings, fave) {
        return false;
    }
    if everybody > 0 {
        call.put(LAST, now);
    }
    true
}

fn pass_person(call: &mut Call<FaveRule>, settings: &Configured, fave: &NewFave) -> bool {
    let id = &fave.person.id;
    // What was taken back may be faved again.
    if settings.repeats == Repeats::OncePerItem && counts::of_person_item(id, &fave.item).weight > 0
    {
        return false;
    }
    let per_stream = settings.repeats == Repeats::OncePerStream;
    if settings.user_cooldown == 0 && !per_stream {
        return true;
    }
    let key = format!("{PEOPLE}{id}");
    let known: Option<Memory> = state::get(&key);
    let is_new = known.is_none();
    let mut memory = known.unwrap_or_default();
    if !is_new && cooling(call.now(), memory.at, settings.user_cooldown) {
        return false;
    }
    if per_stream && !memory.add(stream::current(), digest(&fave.item)) {
        return false;
    }
    memory.at = call.now();
    call.put(key, memory);
    if is_new && !per_stream {
        sweep::plan(call, settings.user_cooldown);
    }
    true
}

/// Whether so little time has passed. A time that lies ahead, of a clock that was wrong, holds nobody up.
pub(crate) fn cooling(now: Timestamp, last: Timestamp, cooldown: u64) -> bool {
    now.checked_sub(last).is_some_and(|elapsed| elapsed < cooldown)
}

impl Memory {
    /// Adds an item of this stream. False when it is there already.
    fn add(&mut self, stream: Timestamp, item: u64) -> bool {
        if self.stream != stream {
            self.stream = stream;
            self.items.clear();
        }
        if self.items.contains(&item) {
            return false;
        }
        if self.items.len() == MOST_ITEMS {
            self.items.remove(0);
        }
        self.items.push(item);
        true
    }
}

/// FNV-1a. An item has up to 200 characters, and a key 256 bytes.
fn digest(item: &str) -> u64 {
    item.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Stored for Memory {
    fn to_bytes(&self) -> Vec<u8> {
        let numbers = [self.at, self.stream].into_iter().chain(self.items.iter().copied());
        numbers.flat_map(u64::to_le_bytes).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut numbers = bytes.chunks_exact(8).map_while(u64::from_bytes);
        let (at, stream) = (numbers.next()?, numbers.next()?);
        Some(Self { at, stream, items: numbers.collect() })
    }
}
