//! What is kept of the trains, and what is shown of them.

use heat_rule::{Call, Timestamp, json, outputs, state};

use crate::configured::Configured;
use crate::{HypeTrainRule, OWN, TWITCH, own, record, twitch};

/// The keys of the two trains.
const OWN_TRAIN: &str = "own";
const TWITCH_TRAIN: &str = "twitch";

/// Both trains as they are.
pub(crate) struct Trains {
    pub(crate) own: own::Train,
    pub(crate) twitch: twitch::Train,
}

/// What is shown of a train.
struct Shown<'a> {
    source: &'static str,
    number: u64,
    name: &'a str,
    points: u64,
    goal: u64,
    /// When it is over, where that is known.
    ends: Option<Timestamp>,
}

impl Trains {
    /// As the state has them.
    pub(crate) fn kept() -> Self {
        Self {
            own: state::get(OWN_TRAIN).unwrap_or_default(),
            twitch: state::get(TWITCH_TRAIN).unwrap_or_default(),
        }
    }
}

/// Keeps the trains, and shows the one that is to be shown, and the record.
pub(crate) fn show(call: &mut Call<HypeTrainRule>, settings: &Configured, trains: Trains) {
    let record = record::with(call, settings, &trains);
    let number = trains.twitch.level.to_string();
    let shown = if settings.twitch && trains.twitch.runs {
        Some(of_twitch(&trains.twitch, &number))
    } else if settings.own && trains.own.runs {
        Some(of_own(settings, &trains.own))
    } else {
        None
    };
    let train = shown.map_or_else(String::new, |shown| shown.written(settings.json));
    let record = record.map_or_else(String::new, |record| written(record, settings.json));
    outputs::show(call, &[(&settings.output, train), (&settings.record_output, record)]);
    let before = Trains::kept();
    if trains.own != before.own {
        call.put(OWN_TRAIN, trains.own);
    }
    if trains.twitch != before.twitch {
        call.put(TWITCH_TRAIN, trains.twitch);
    }
}

fn of_twitch<'a>(train: &twitch::Train, number: &'a str) -> Shown<'a> {
    let twitch::Train { level, points, goal, .. } = train;
    Shown { source: TWITCH, number: *level, name: number, points: *points, goal: *goal, ends: None }
}

/// Points and goal are of the level, as Twitch has them: those that filled the levels before do not count again.
fn of_own<'a>(settings: &'a Configured, train: &own::Train) -> Shown<'a> {
    let place = train.level(settings);
    let below = place.checked_sub(1).map_or(0, |place| settings.levels[place].0);
    let (goal, name) = &settings.levels[place];
    Shown {
        source: OWN,
        number: place as u64 + 1,
        name,
        points: train.points - below,
        goal: goal - below,
        ends: Some(train.ends),
    }
}

impl Shown<'_> {
    fn written(&self, json: bool) -> String {
        let Self { source, number, name, points, goal, ends } = self;
        if !json {
            return format!("Level {name}: {points} of {goal}");
        }
        let ends = ends.map_or_else(|| "null".to_owned(), |ends| ends.to_string());
        let name = json::quoted(name);
        format!(
            "{{\"value\": {number}, \"level\": {name}, \"points\": {points}, \"goal\": {goal}, \"source\": \"{source}\", \"ends\": {ends}}}"
        )
    }
}

fn written((level, points): (u64, u64), json: bool) -> String {
    match json {
        true => format!("{{\"value\": {level}, \"points\": {points}}}"),
        false => format!("Level {level}, {points} points"),
    }
}
