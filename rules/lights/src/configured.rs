//! The settings, read once in the life of an instance, and the check whether they go together.

use heat_rule::{Interests, Kind, Settings, configured};

use crate::levels::Levels;

pub(crate) struct Configured {
    pub(crate) topic: String,
    pub(crate) levels: Levels,
    /// One for all levels, or one for each.
    pub(crate) payloads: Vec<String>,
    pub(crate) half_life: u64,
    pub(crate) per_fave: f64,
    stream_end: bool,
}

configured!(Configured);

impl Configured {
    /// Reads the settings. An error says which contradict each other, and what would do.
    pub(crate) fn read(settings: &Settings) -> Result<Self, String> {
        let topic = settings.text("topic");
        if topic.is_empty() || topic.contains(['+', '#']) {
            return Err(format!(
                "`topic` is {topic:?}, where nothing can be sent; write one topic, such as \"zigbee2mqtt/lamp/set\""
            ));
        }
        let levels = levels(settings)?;
        let payloads = settings.texts("payloads");
        let needed = levels.highest() + 1;
        if payloads.len() != 1 && payloads.len() != needed {
            return Err(format!(
                "`payloads` has {} texts, and there are {needed} levels with the one below all; write one text for all of them, or {needed}",
                payloads.len()
            ));
        }
        Ok(Self {
            topic,
            levels,
            payloads,
            half_life: settings.duration("half_life"),
            per_fave: settings.number("per_fave"),
            stream_end: settings.boolean("stream_end"),
        })
    }

    /// What the rule wants to be called for.
    pub(crate) fn interests(&self) -> Interests {
        let interests = Interests::none().kind(Kind::Faves);
        if self.stream_end { interests.kind(Kind::Streams) } else { interests }
    }
}

fn levels(settings: &Settings) -> Result<Levels, String> {
    let below = settings.text("below");
    check_name(&below)?;
    let mut others: Vec<(f64, String)> = Vec::new();
    for (name, begins) in settings.numbers("levels") {
        check_name(&name)?;
        if begins <= 0.0 {
            return Err(format!(
                "the level {name} begins at {begins}; write a number above 0, since `below` is the level of no heat"
            ));
        }
        if name == below {
            return Err(format!(
                "{name:?} is both a level and `below`; give one of them another name"
            ));
        }
        // What is shown is whole, so that 1.5 begins where 2 does.
        if let Some((_, other)) = others.iter().find(|(there, _)| there.ceil() == begins.ceil()) {
            return Err(format!(
                "the levels {other} and {name} both begin at {begins}; give each its own number"
            ));
        }
        others.push((begins, name));
    }
    if others.is_empty() {
        return Err(
            "`levels` is empty, so there is nothing to cross; write { warm = 10 }".to_owned()
        );
    }
    Ok(Levels::new(below, others, settings.number("fall")))
}

/// Names are put into JSON as they are.
fn check_name(name: &str) -> Result<(), String> {
    let bad = |c: char| c.is_control() || c == '"' || c == '\\';
    if name.trim().is_empty() || name.chars().count() > 100 || name.contains(bad) {
        return Err(format!(
            "a level is named {name:?}; write 1 to 100 visible characters without quotes and backslashes"
        ));
    }
    Ok(())
}
