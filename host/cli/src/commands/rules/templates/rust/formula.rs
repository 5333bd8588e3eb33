//! `{{name}}`: one degree for each fave.
//!
//! What a rule can be told and can answer stands in wit/, from rule.wit on; what it is written with, in sdk/heat-rule.

use heat_rule::{About, Call, Event, Formula, Happening, formula, state};

struct Rule;

impl Formula for Rule {
    /// What the rule says of itself, and its settings, each with a default. People set them in heatd's configuration.
    fn about() -> About {
        About::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            "Shows one degree for each fave.",
        )
        .integer("per_fave", 1, (1, 1000), "Degrees for each fave.")
        .text("output", "{{name}}", 32, "The name of the output that shows the number.")
    }

    /// Called for each fave, after it was counted. A formula that wants something else says so in a function `takes`.
    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let Happening::Fave(_) = &event.what else { return Ok(()) };
        let settings = call.settings();
        // What has to last is kept as state, and never in a variable: an instance lives for at most 64 events.
        let degrees = state::get::<i64>("degrees").unwrap_or(0) + settings.integer("per_fave");
        call.put("degrees", degrees);
        call.show(&settings.text("output"), degrees);
        Ok(())
    }
}

formula!(Rule);
