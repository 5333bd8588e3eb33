//! `decay`: every fave adds heat, and the heat halves with each half-life.
//!
//! The value is kept as it was at the last fave; what it is now follows from the time between. The rule asks to be
//! woken exactly when the shown number changes, so nothing polls.

use heat_rule::{
    About, Call, Event, Formula, Happening, Interests, Kind, Settings, Timestamp, formula, state,
};

/// The key of the kept value.
const HEAT: &str = "heat";

/// The key of the output's name, to take the old one back when the setting changes.
const OUTPUT: &str = "output";

/// The shown number falls at most four times a second, in milliseconds.
const SHORTEST_WAIT: u64 = 250;

struct Decay;

impl Formula for Decay {
    fn about() -> About {
        About::new(
            "decay",
            env!("CARGO_PKG_VERSION"),
            "Shows the heat: each fave adds to it, and it halves with time.",
        )
        .duration(
            "half_life",
            600_000,
            (0, 30 * 86_400_000),
            "The time in which the heat halves. \"0s\": it never falls.",
        )
        .number("per_fave", 1.0, (0.001, 1000.0), "How many degrees one fave adds.")
        .text(
            "output",
            "heat",
            32,
            "The name of the output that shows the heat as a whole number.",
        )
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        let output = settings.text("output");
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if output.is_empty() || !output.chars().all(plain) {
            return Err(format!(
                "the output {output:?} must be named with lower-case letters, digits, - and _"
            ));
        }
        Ok(Interests::none().kind(Kind::Faves))
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let half_life = call.settings().duration("half_life");
        let kept = state::get::<(f64, u64)>(HEAT);
        let mut heat = kept
            .map_or(0.0, |(value, at)| decayed(value, call.now().saturating_sub(at), half_life));
        if let Happening::Fave(fave) = &event.what {
            heat =
                (heat + fave.weight as f64 / 1000.0 * call.settings().number("per_fave")).max(0.0);
            call.put(HEAT, (heat, call.now()));
        }
        show(call, heat, half_life);
        Ok(())
    }
}

fn show(call: &mut Call<Decay>, heat: f64, half_life: u64) {
    let shown = degrees(heat);
    let output = call.settings().text("output");
    let before: Option<String> = state::get(OUTPUT);
    if before.as_ref() != Some(&output) {
        if let Some(before) = before {
            call.show(&before, "");
        }
        call.put(OUTPUT, output.clone());
    }
    call.show(&output, shown);
    if shown > 0 && half_life > 0 {
        let at = call.now() + time_until(heat, shown as f64 - 0.5, half_life).max(SHORTEST_WAIT);
        call.wake_at("fall", at);
    } else {
        call.cancel_wake("fall");
    }
}

/// What is left of a value after so many milliseconds.
fn decayed(value: f64, elapsed: u64, half_life: u64) -> f64 {
    if half_life == 0 {
        return value;
    }
    value * (-(elapsed as f64) / half_life as f64).exp2()
}

/// The nearest whole number, a half down: then a number ends exactly half a degree below it, where the timer is set.
fn degrees(heat: f64) -> u64 {
    (heat - 0.5).ceil().max(0.0) as u64
}

/// Milliseconds until a value has fallen to another.
fn time_until(value: f64, lower: f64, half_life: u64) -> Timestamp {
    ((value / lower).log2() * half_life as f64).ceil() as Timestamp
}

formula!(Decay);
