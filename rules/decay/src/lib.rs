//! `decay`: every fave adds heat, and the heat halves with each half-life.
//!
//! The value is kept as it was at the last fave; what it is now follows from the time between (`heat`). The rule asks to be woken exactly when
//! the shown number changes, so nothing polls (`shown`). All that it remembers is one value of the state (`memory`): one read and one
//! write for each fave. `stream` starts again with each stream, `moderator` on request; `worth` says what other events add, and `configured` has the settings.

mod configured;
mod heat;
mod memory;
mod moderator;
mod shown;
mod stream;
mod worth;

use heat_rule::{
    About, Call, Entry, Event, Formula, Happening, Interests, ONE_FAVE, Settings, formula, state,
};

use crate::configured::Configured;
use crate::memory::Memory;

/// The key of all that is remembered.
const MEMORY: &str = "m";

/// What `scope` may be.
const ALL_TIME: &str = "all_time";
const STREAM: &str = "stream";

/// One day, in milliseconds.
const DAY: u64 = 86_400_000;

/// The greatest heat that a setting or a moderator may ask for.
const HOTTEST: f64 = 1_000_000_000.0;

struct Decay;

impl Formula for Decay {
    fn about() -> About {
        About::new(
            "decay",
            env!("CARGO_PKG_VERSION"),
            "Shows the heat: each fave adds to it, and it halves with time.",
        )
        .state_version(3)
        .duration(
            "half_life",
            600_000,
            (0, 30 * DAY),
            "The time in which the heat halves. \"0s\": it never falls.",
        )
        .number("per_fave", 1.0, (0.001, 1000.0), "How many degrees one fave adds.")
        .numbers(
            "events",
            &[],
            "How many degrees other events add: { follow = 2, subscription = 10, gift = 10, bit = 0.01, raid = 5, viewer = 0.1, redemption = 1 }. Each gift, bit and viewer of a raid counts. What is left out adds nothing.",
        )
        .number("floor", 0.0, (0.0, HOTTEST), "The heat falls no lower than this.")
        .number("cap", 0.0, (0.0, HOTTEST), "The heat rises no higher than this. 0: no bound.")
        .choice(
            "scope",
            &[ALL_TIME, STREAM],
            "Whether heat and record go on for ever, or start again with each stream.",
        )
        .duration(
            "grace",
            600_000,
            (0, DAY),
            "A stream that starts again within this time of its end goes on with its heat.",
        )
        .text("output", "heat", 32, "The name of the output that shows the heat as a whole number.")
        .numbers(
            "levels",
            &[],
            "Names of levels, and the shown heat at which each begins: { warm = 10, hot = 50 }.",
        )
        .text(
            "level_output",
            "level",
            32,
            "The name of the output that shows the level, if there are levels.",
        )
        .text(
            "record_output",
            "record",
            32,
            "The name of the output that shows the greatest heat so far. Empty for none.",
        )
        .text(
            "moderator_command",
            "?heat",
            50,
            "The command of moderators and the owner: set 50, reset. Empty for none.",
        )
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        Ok(Configured::read(settings)?.interests())
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let settings = configured::of_instance()?;
        let before: Option<Memory> = state::get(MEMORY);
        let mut memory = before.clone().unwrap_or_else(|| Memory::new(settings.floor, call.now()));
        memory.settle(settings.half_life, call.now());
        if !heed(call, &settings, &event.what, &mut memory) {
            return Ok(());
        }
        shown::show(call, &settings, &mut memory);
        if before.as_ref() != Some(&memory) {
            call.put(MEMORY, memory);
        }
        Ok(())
    }

    fn migrate(from: u32, key: String, value: Vec<u8>) -> Result<Vec<Entry>, String> {
        memory::migrate(from, key, value)
    }
}

/// Remembers what happened. False when it is nothing to this rule.
fn heed(
    call: &mut Call<Decay>,
    settings: &Configured,
    what: &Happening,
    memory: &mut Memory,
) -> bool {
    match what {
        Happening::Fave(fave) => {
            let degrees = fave.weight as f64 / ONE_FAVE as f64 * settings.per_fave;
            let heat = heat::at(memory, settings, call.now()) + degrees;
            memory.set(heat::within(settings, heat), call.now());
        }
        Happening::Command(command) => return moderator::obey(call, settings, command, memory),
        Happening::StreamStart => stream::started(settings, memory, call.now()),
        Happening::StreamEnd => memory.ended = call.now(),
        Happening::Timer(_) => memory.wakes = 0,
        other => {
            let Some(degrees) = settings.worth.of(other) else { return true };
            let heat = heat::at(memory, settings, call.now()) + degrees;
            memory.set(heat::within(settings, heat), call.now());
        }
    }
    true
}

formula!(Decay);
