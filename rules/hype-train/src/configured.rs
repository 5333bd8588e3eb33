//! The settings, read once in the life of an instance, and the check whether they go together.

use heat_rule::{Interests, Kind, Settings, Tier, configured, outputs};

use crate::{JSON, MOST_POINTS, OWN, TWITCH};

/// Names of the table `points`, in the order of the array that is made of it.
const WORTH: [&str; 6] = ["bit", "prime", "one", "two", "three", "fave"];

pub(crate) struct Configured {
    /// Whether the rule drives a train of its own.
    pub(crate) own: bool,
    /// Whether it shows Twitch's.
    pub(crate) twitch: bool,
    worth: [u64; WORTH.len()],
    pub(crate) kickoff_events: usize,
    pub(crate) kickoff_people: usize,
    pub(crate) kickoff_points: u64,
    pub(crate) kickoff_window: u64,
    /// The points that fill a level, and its name; the lowest first, never empty.
    pub(crate) levels: Vec<(u64, String)>,
    pub(crate) level_time: u64,
    pub(crate) cooldown: u64,
    pub(crate) json: bool,
    pub(crate) output: String,
    /// Empty when the record is not shown.
    pub(crate) record_output: String,
}

configured!(Configured);

impl Configured {
    /// Reads the settings. An error says which contradict each other, and what would do.
    pub(crate) fn read(settings: &Settings) -> Result<Self, String> {
        let [output, record_output, source] =
            ["output", "record_output", "source"].map(|name| settings.text(name));
        if output.is_empty() {
            return Err("`output` has no name; write output = \"hype-train\"".to_owned());
        }
        outputs::check(&[&output, &record_output])?;
        let whole = |name| settings.integer(name).unsigned_abs();
        let (events, people) = (whole("kickoff_events"), whole("kickoff_people"));
        if people > events {
            return Err(format!(
                "`kickoff_people` is {people} and `kickoff_events` is {events}, and an event has one person; write at most {events} people"
            ));
        }
        Ok(Self {
            own: source != TWITCH,
            twitch: source != OWN,
            worth: worth(settings)?,
            kickoff_events: events as usize,
            kickoff_people: people as usize,
            kickoff_points: whole("kickoff_points"),
            kickoff_window: settings.duration("kickoff_window"),
            levels: levels(settings)?,
            level_time: settings.duration("level_time"),
            cooldown: settings.duration("cooldown"),
            json: settings.text("format") == JSON,
            output,
            record_output,
        })
    }

    /// What the rule wants to be called for: only what brings points.
    pub(crate) fn interests(&self) -> Interests {
        let mut interests = Interests::none();
        if self.twitch {
            interests = interests.kind(Kind::HypeTrains);
        }
        let [bit, prime, one, two, three, fave] = self.worth;
        let subscription = prime.max(one).max(two).max(three);
        for (points, kind) in [
            (bit, Kind::Cheers),
            (subscription, Kind::Subscriptions),
            (subscription, Kind::Gifts),
            (fave, Kind::Faves),
        ] {
            if self.own && points > 0 {
                interests = interests.kind(kind);
            }
        }
        interests
    }

    pub(crate) fn points_of_bits(&self, bits: u32) -> u64 {
        self.worth[0].saturating_mul(u64::from(bits))
    }

    pub(crate) fn points_of_tier(&self, tier: Tier) -> u64 {
        self.worth[match tier {
            Tier::Prime => 1,
            Tier::One => 2,
            Tier::Two => 3,
            Tier::Three => 4,
        }]
    }

    pub(crate) fn points_of_fave(&self) -> u64 {
        self.worth[5]
    }
}

fn worth(settings: &Settings) -> Result<[u64; WORTH.len()], String> {
    let mut worth = [0; WORTH.len()];
    for (name, number) in settings.numbers("points") {
        let Some(place) = WORTH.iter().position(|known| *known == name) else {
            return Err(format!("`points` has no {name:?}; it may have {}", WORTH.join(", ")));
        };
        worth[place] = whole(number).ok_or_else(|| {
            format!(
                "`points` has {number} for {name}; write a whole number from 0 to {MOST_POINTS}"
            )
        })?;
    }
    Ok(worth)
}

fn levels(settings: &Settings) -> Result<Vec<(u64, String)>, String> {
    let mut levels: Vec<(u64, String)> = Vec::new();
    for (name, number) in settings.numbers("levels") {
        if name.trim().is_empty() || name.chars().count() > 100 || name.contains(char::is_control) {
            return Err(format!(
                "`levels` has the name {name:?}, which cannot be shown; write 1 to 100 visible characters"
            ));
        }
        let points = whole(number).filter(|points| *points > 0).ok_or_else(|| {
            format!("the level {name} is filled by {number} points; write a whole number from 1 to {MOST_POINTS}")
        })?;
        if let Some((_, other)) = levels.iter().find(|(there, _)| *there == points) {
            return Err(format!(
                "the levels {other} and {name} are both filled by {points} points; give each its own number"
            ));
        }
        levels.push((points, name));
    }
    if levels.is_empty() {
        return Err("`levels` is empty; write at least one, such as { \"1\" = 2000 }".to_owned());
    }
    levels.sort();
    Ok(levels)
}

fn whole(number: f64) -> Option<u64> {
    let fits = number.fract() == 0.0 && (0.0..=MOST_POINTS).contains(&number);
    fits.then_some(number as u64)
}
