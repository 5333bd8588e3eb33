//! A formula that attacks its host. The tests hold the engine's limits against it, and `cargo xtask hostile` measures what other
//! rules feel of it.
//!
//! [`attacks`] and [`work`] are what it does on command: `!attack spin`. [`lies`] are what it says of itself: one of them, by a mark
//! among its bytes that whoever loads it overwrites.

#![expect(
    unsafe_code,
    reason = "it hands over what no safe code can make, and its exports are functions of the C ABI"
)]

mod attacks;
mod lies;
mod work;

use heat_rule::bindings::{Description, Guest, Settings};
use heat_rule::{Effect, Entry, Event, Happening};

struct Hostile;

impl Guest for Hostile {
    fn describe() -> Description {
        lies::describe(lies::mode())
    }

    fn takes(settings: Settings) -> Result<heat_rule::bindings::Interests, String> {
        lies::takes(lies::mode(), settings)
    }

    fn handle(now: u64, event: Event) -> Result<Vec<Effect>, String> {
        // Put first: none of it may remain when what follows goes wrong.
        let mut effects = vec![put("before", b"it was here".to_vec())];
        match &event.what {
            Happening::Command(command) => attacks::attack(&command.arguments, now, &mut effects)?,
            Happening::Timer(name) => attacks::attack(name, now, &mut effects)?,
            _ => {}
        }
        Ok(effects)
    }

    fn migrate(_from: u32, key: String, value: Vec<u8>) -> Result<Vec<Entry>, String> {
        lies::migrate(lies::mode(), key, value)
    }
}

fn put(key: &str, value: Vec<u8>) -> Effect {
    Effect::Put(Entry { key: key.to_owned(), value })
}

heat_rule::bindings::export!(Hostile with_types_in heat_rule::bindings);
