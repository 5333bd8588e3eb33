//! The settings, read once in the life of an instance, and the check whether they go together.

use heat_rule::{Interests, Kind, Settings, configured, half_life, outputs};

use crate::STREAM;
use crate::worth::Worth;

/// The settings that an event is held against.
pub(crate) struct Configured {
    pub(crate) half_life: u64,
    pub(crate) per_fave: f64,
    pub(crate) worth: Worth,
    pub(crate) floor: f64,
    /// Infinite when there is no bound.
    pub(crate) cap: f64,
    pub(crate) per_stream: bool,
    pub(crate) grace: u64,
    pub(crate) output: String,
    /// The level and where it begins, highest first.
    pub(crate) levels: Vec<(f64, String)>,
    /// Empty when there are no levels.
    pub(crate) level_output: String,
    /// Empty when the record is not shown.
    pub(crate) record_output: String,
    /// The names of the three outputs, each with the end of its line.
    pub(crate) outputs: String,
    moderator_command: String,
}

configured!(Configured);

impl Configured {
    /// Reads the settings. An error says which contradict each other, and what would do.
    pub(crate) fn read(settings: &Settings) -> Result<Self, String> {
        let floor = settings.number("floor");
        let cap = Some(settings.number("cap")).filter(|cap| *cap > 0.0).unwrap_or(f64::INFINITY);
        if floor >= cap {
            return Err(format!(
                "`floor` is {floor} and `cap` is {cap}, so the heat could not move; write a cap above the floor, or cap = 0 for none"
            ));
        }
        let levels = levels(settings, cap)?;
        let [output, mut level_output, record_output] =
            ["output", "level_output", "record_output"].map(|name| settings.text(name));
        if levels.is_empty() {
            level_output.clear();
        } else if level_output.is_empty() {
            return Err("there are `levels`, and `level_output` has no name to show them; write level_output = \"level\"".to_owned());
        }
        if output.is_empty() {
            return Err("`output` has no name; write output = \"heat\"".to_owned());
        }
        outputs::check(&[&output, &level_output, &record_output])?;
        Ok(Self {
            half_life: settings.duration("half_life"),
            per_fave: settings.number("per_fave"),
            worth: Worth::read(settings)?,
            floor,
            cap,
            per_stream: settings.text("scope") == STREAM,
            grace: settings.duration("grace"),
            outputs: format!("{output}\n{level_output}\n{record_output}\n"),
            output,
            levels,
            level_output,
            record_output,
            moderator_command: settings.text("moderator_command"),
        })
    }

    /// What the rule wants to be called for.
    pub(crate) fn interests(self) -> Interests {
        let mut interests = self.worth.interests(Interests::none().kind(Kind::Faves));
        if self.per_stream {
            interests = interests.kind(Kind::Streams);
        }
        match self.moderator_command {
            command if command.is_empty() => interests,
            command => interests.command(command),
        }
    }

    /// The name of the highest level that a shown number reaches, empty below all of them.
    pub(crate) fn level(&self, shown: u64) -> &str {
        let reached = self.levels.iter().find(|(begins, _)| shown as f64 >= *begins);
        reached.map_or("", |(_, name)| name)
    }
}

fn levels(settings: &Settings, cap: f64) -> Result<Vec<(f64, String)>, String> {
    let mut levels: Vec<(f64, String)> = Vec::new();
    for (name, begins) in settings.numbers("levels") {
        if name.trim().is_empty()
            || name.chars().count() > 100
            || name.chars().any(char::is_control)
        {
            return Err(format!(
                "`levels` has the name {name:?}, which cannot be shown; write 1 to 100 visible characters"
            ));
        }
        if begins < 0.0 {
            return Err(format!("the level {name} begins at {begins}; write 0 or more"));
        }
        if begins > half_life::degrees(cap) as f64 {
            return Err(format!(
                "the level {name} begins at {begins}, and `cap` is {cap}, so it is never reached; raise the cap or lower the level"
            ));
        }
        if let Some((_, other)) = levels.iter().find(|(there, _)| *there == begins) {
            return Err(format!(
                "the levels {other} and {name} both begin at {begins}; give each its own number"
            ));
        }
        levels.push((begins, name));
    }
    levels.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    Ok(levels)
}
