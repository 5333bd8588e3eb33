//! `hype-train`: subscriptions, gifts and cheers of several people in a short time start a train, which goes on from level to level while enough
//! points come in; Twitch's own train is shown instead while one is told of.
//!
//! `points` says what an event is worth, `recent` what may start a train, `own` is the train that this rule drives, `twitch` the one that
//! Twitch does, `record` the best so far, and `shown` what is seen of it all. `configured` has the settings.

mod configured;
mod own;
mod points;
mod recent;
mod record;
mod shown;
mod twitch;

use heat_rule::{About, Call, Event, Formula, Happening, Interests, Settings, formula};

use crate::configured::Configured;

/// The timer that ends our train: the level was not filled in time.
const LEVEL: &str = "level";

/// The timer that ends Twitch's train when nobody says that it is over.
const SILENCE: &str = "silence";

/// One hour, in milliseconds.
const HOUR: u64 = 3_600_000;

/// The greatest number of points that a setting may have.
const MOST_POINTS: f64 = 1_000_000_000.0;

/// What `source` may be.
const BOTH: &str = "both";
const OWN: &str = "own";
const TWITCH: &str = "twitch";

/// What `format` may be.
const TEXT: &str = "text";
const JSON: &str = "json";

struct HypeTrainRule;

impl Formula for HypeTrainRule {
    fn about() -> About {
        About::new("hype-train", env!("CARGO_PKG_VERSION"), "Shows a hype train of subscriptions, gifts and cheers, or Twitch's own.")
            .choice("source", &[BOTH, OWN, TWITCH], "Which train is shown: the rule's own and, while there is one, Twitch's instead; or only one of the two.")
            .numbers("points", &[("bit", 1.0), ("prime", 500.0), ("one", 500.0), ("two", 1000.0), ("three", 2500.0)], "Points of a bit, of a subscription or gift by its tier (prime, one, two, three), and of a fave (fave). What is left out has none.")
            .integer("kickoff_events", 3, (1, 100), "How many events within `kickoff_window` start a train.")
            .integer("kickoff_people", 2, (1, 100), "From how many different people they must come. All that stay unnamed are one.")
            .integer("kickoff_points", 100, (1, 1_000_000), "The least points of an event that helps to start a train.")
            .duration("kickoff_window", 300_000, (1_000, HOUR), "The time in which events help together.")
            .numbers("levels", &[("1", 2000.0), ("2", 4500.0), ("3", 7600.0), ("4", 11_500.0), ("5", 17_000.0)], "Names of the levels, and the points since the start that fill each.")
            .duration("level_time", 300_000, (1_000, HOUR), "How long a level waits to be filled; then the train is over.")
            .duration("cooldown", 2 * HOUR, (0, 24 * HOUR), "How long after a train none starts.")
            .choice("format", &[TEXT, JSON], "How the train is shown: as \"Level 2: 640 of 2500\", or as an object with value (the level), level (its name), points, goal, source and ends (milliseconds since 1970).")
            .text("output", "hype-train", 32, "The name of the output that shows the train while it runs.")
            .text("record_output", "hype-train-record", 32, "The name of the output that shows the best train so far. Empty for none.")
    }

    fn takes(settings: &Settings) -> Result<Interests, String> {
        Ok(Configured::read(settings)?.interests())
    }

    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String> {
        let settings = configured::of_instance()?;
        let mut trains = shown::Trains::kept();
        match &event.what {
            Happening::HypeTrain(stage) => twitch::heed(call, stage, &mut trains.twitch),
            Happening::Timer(name) if name == SILENCE => twitch::is_silent(&mut trains.twitch),
            Happening::Timer(name) if name == LEVEL => own::is_over(&mut trains.own),
            other => match points::of(&settings, other) {
                Some(given) => own::take(call, &settings, given, &mut trains.own),
                None => return Ok(()),
            },
        }
        shown::show(call, &settings, trains);
        Ok(())
    }
}

formula!(HypeTrainRule);
