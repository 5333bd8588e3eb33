//! `{{name}}`: what follows a command in chat becomes a fave.
//!
//! What a rule can be told and can answer stands in wit/, from rule.wit on; what it is written with, in sdk/heat-rule.

use heat_rule::{
    About, Call, Event, Handler, Happening, Interests, ONE_FAVE, Settings, handler, state,
};

struct Rule;

impl Handler for Rule {
    /// What the rule says of itself, and its settings, each with a default. People set them in heatd's configuration.
    fn about() -> About {
        About::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            "Makes a fave of what follows a command, once a minute for each person.",
        )
        .text("command", "?{{name}}", 40, "What viewers type.")
        .duration("cooldown", 60_000, (0, 3_600_000), "How long a person waits for the next fave.")
    }

    /// What the rule is called for. What is not asked for costs nothing.
    fn takes(settings: &Settings) -> Result<Interests, String> {
        Ok(Interests::none().command(settings.text("command")))
    }

    /// Called for each command. There is no clock: `call.now()` is the time of the event.
    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let Happening::Command(command) = &event.what else { return Ok(()) };
        // What has to last is kept as state, and never in a variable: an instance lives for at most 64 events.
        let last = format!("last/{}", command.line.person.id);
        let ready = state::get::<u64>(&last).unwrap_or(0) + call.settings().duration("cooldown");
        if call.now() >= ready {
            call.put(last, call.now());
            call.fave_of(&command.line, command.arguments.trim(), ONE_FAVE);
        }
        Ok(())
    }
}

handler!(Rule);
