//! `lights`: tells lamps by MQTT when the heat crosses a level.
//!
//! A rule does not see what another shows, so this one keeps a heat of its own, which halves as that of `decay` does; with the same numbers
//! the lamps go with what is shown. `levels` says on which level a heat is, `payload` what is sent, and `configured` has the settings.

mod configured;
mod levels;
mod payload;

use heat_rule::{
    About, Call, Event, Formula, Happening, Interests, ONE_FAVE, Settings, Timestamp, formula,
    half_life, state,
};

use crate::configured::Configured;

/// The key of the heat and its time.
const HEAT: &str = "heat";

/// The key of the name of the level that the lamps were told.
const TOLD: &str = "told";

/// The key of the time that the timer is set for.
const WAKES: &str = "wakes";

/// The timer.
const FALL: &str = "fall";

/// One day, in milliseconds.
const DAY: u64 = 86_400_000;

/// The greatest heat that is kept.
const HOTTEST: f64 = 1_000_000_000.0;

struct Lights;

impl Formula for Lights {
    fn about() -> About {
        About::new("lights", env!("CARGO_PKG_VERSION"), "Tells lamps by MQTT when the heat crosses a level.")
            .text("topic", "heat-lights/set", 200, "The MQTT topic of the lamps, such as \"zigbee2mqtt/lamp/set\" or \"wled/all/api\"; {channel} is the channel.")
            .numbers("levels", &[("warm", 10.0), ("hot", 50.0)], "Names of levels, and the shown heat at which each begins, as in `decay`.")
            .text("below", "cold", 100, "The name of the level below all of them.")
            .texts("payloads", &[r#"{"state": "{state}", "brightness": {brightness}}"#], "What is sent: one text for all levels, or one for each, that of `below` first. {state} is OFF below all levels and else ON, {level} is the name, {number} counts from 0, {percent} and {brightness} go up to 100 and 254 at the highest, {heat} is the heat, {channel} the channel.")
            .number("fall", 0.8, (0.01, 1.0), "A level is left when the heat has fallen to this part of its beginning, so that the lamps do not flicker. 1: at once.")
            .duration("half_life", 600_000, (1_000, 30 * DAY), "The time in which the heat halves: as that of `decay`, to go with what it shows.")
            .number("per_fave", 1.0, (0.001, 1000.0), "How many degrees one fave adds: as that of `decay`.")
            .boolean("stream_end", false, "Whether the heat falls to nothing when the stream ends.")
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        Ok(Configured::read(settings)?.interests())
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let settings = configured::of_instance()?;
        let (before, at): (f64, Timestamp) = state::get(HEAT).unwrap_or((0.0, call.now()));
        let mut heat = half_life::left(before, call.now().saturating_sub(at), settings.half_life);
        match &event.what {
            Happening::Fave(fave) => {
                let degrees = fave.weight as f64 / ONE_FAVE as f64 * settings.per_fave;
                heat = (heat + degrees).clamp(0.0, HOTTEST);
                call.put(HEAT, (heat, call.now()));
            }
            Happening::StreamEnd => {
                heat = 0.0;
                call.delete(HEAT);
            }
            Happening::Timer(_) => call.delete(WAKES),
            _ => return Ok(()),
        }
        let timer = matches!(event.what, Happening::Timer(_));
        let told: Option<String> = state::get(TOLD);
        let level = settings.levels.after(told.as_deref(), heat);
        if settings.levels.is_news(told.as_deref(), level) {
            let (topic, payload) = payload::of(&settings, &event.channel, level, heat);
            call.publish(topic, payload);
            call.put(TOLD, settings.levels.name(level).to_owned());
        }
        let wakes = if timer { None } else { state::get(WAKES) };
        wake(call, &settings, level, heat, wakes);
        Ok(())
    }
}

/// Sets the timer for the moment when the heat leaves the level. One that is set for an earlier moment will set it again, which spares
/// most faves of a storm a new one.
fn wake(
    call: &mut Call<Lights>,
    settings: &Configured,
    level: usize,
    heat: f64,
    wakes: Option<Timestamp>,
) {
    let Some(bound) = settings.levels.left_at(level) else {
        if wakes.is_some() {
            call.cancel_wake(FALL);
            call.delete(WAKES);
        }
        return;
    };
    let at = call.now() + half_life::wait(heat, bound, settings.half_life);
    if wakes.is_none_or(|wakes| wakes > at) {
        call.wake_at(FALL, at);
        call.put(WAKES, at);
    }
}

formula!(Lights);
