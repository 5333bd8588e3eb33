//! A rule that does on command what no rule should. The tests hold the engine's limits against it.

use std::hint::black_box;

use heat_rule::{
    About, Call, Event, Handler, Happening, Interests, ONE_FAVE, Person, Settings, handler, state,
};

struct Misbehave;

impl Handler for Misbehave {
    fn about() -> About {
        About::new("misbehave", "1.0.0", "Does on command what no rule should.").boolean(
            "refuse",
            false,
            "Refuses its settings.",
        )
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        if settings.boolean("refuse") {
            return Err("these settings are refused on purpose".to_owned());
        }
        Ok(Interests::none().command("!do").topic("misbehave/#"))
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let Happening::Command(command) = &event.what else {
            return Err("only commands make me misbehave".to_owned());
        };
        // Put first: none of it may remain when what follows goes wrong.
        call.put("before", command.arguments.clone());
        call.fave(command.line.person.clone(), command.arguments.clone(), ONE_FAVE);
        misbehave(call, &command.arguments)
    }
}

fn misbehave(call: &mut Call<Misbehave>, what: &str) -> Result<(), String> {
    match what {
        "spin" => spin(),
        "recurse" => drop(black_box(recurse(black_box(1)))),
        "grow" => drop(black_box(vec![1u8; 64 << 20])),
        "panic" => panic!("on purpose"),
        "error" => return Err("on purpose".to_owned()),
        "flood" => (0..1000u32).for_each(|number| call.put(format!("key {number}"), number)),
        "long key" => call.put("k".repeat(1000), 1u32),
        "big value" => call.put("big", "v".repeat(100_000)),
        "huge answer" => {
            (0..40).for_each(|number| call.put(format!("{number}"), "v".repeat(60_000)));
        }
        "hoard" => (0..250)
            .for_each(|number| call.put(format!("{}-{number}", call.now()), "v".repeat(4_000))),
        "chatter" => {
            (0..100).for_each(|_| heat_rule::log(heat_rule::Level::Warn, &"x".repeat(5_000)));
        }
        "read" => (0..1_000_000).for_each(|_| drop(black_box(state::get::<String>("before")))),
        "alarms" => {
            (0..200).for_each(|number| call.wake_at(format!("{number}"), call.now() + 1_000));
        }
        "faves" => (0..100u32).for_each(|number| {
            let id = number.to_string();
            let person = Person { id: id.clone(), login: id.clone(), name: id };
            call.fave(person, "", ONE_FAVE);
        }),
        "long error" => return Err(format!("no reason at all{}", "!".repeat(100_000))),
        "remember" => return remember(call),
        "tick" => call.wake_at("tick", 0),
        other => return Err(format!("I do not know how to {other}")),
    }
    Ok(())
}

/// Counts in a variable, as no rule should: the number depends on how long the instance lives.
fn remember(call: &mut Call<Misbehave>) -> Result<(), String> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    call.put("remembered", COUNT.fetch_add(1, Ordering::Relaxed) + 1);
    Ok(())
}

fn spin() {
    let mut number = 1u64;
    while black_box(number) != 0 {
        number = black_box(number | 1);
    }
}

fn recurse(depth: u64) -> u64 {
    if black_box(depth) == 0 { 0 } else { recurse(black_box(depth + 1)) + black_box(depth) }
}

handler!(Misbehave);
