//! The settings, read once in the life of an instance, and the check whether they go together.

use heat_rule::people::{is_listed, listed};
use heat_rule::{Ability, ChatLine, Interests, Kind, Settings, configured, outputs};

use crate::JSON;
use crate::reaction::Reactions;

/// How many buckets must fit into the memory, and into the time of warming up.
const LEAST_BUCKETS: u64 = 6;

/// How many may fit, so that what is kept stays small.
const MOST_BUCKETS: u64 = 720;

pub(crate) struct Configured {
    pub(crate) clip: bool,
    pub(crate) seconds: u32,
    pub(crate) delay: u64,
    pub(crate) title: String,
    pub(crate) words: bool,
    pub(crate) people: u64,
    pub(crate) sensitivity: f64,
    pub(crate) bucket: u64,
    /// In buckets, as `warm_up`.
    pub(crate) memory: usize,
    pub(crate) warm_up: usize,
    pub(crate) cooldown: u64,
    pub(crate) raid_pause: u64,
    pub(crate) json: bool,
    pub(crate) reactions: Reactions,
    /// Empty when moments are not shown.
    pub(crate) output: String,
    bots: Vec<String>,
    shared: bool,
}

configured!(Configured);

impl Configured {
    /// Reads the settings. An error says which contradict each other, and what would do.
    pub(crate) fn read(settings: &Settings) -> Result<Self, String> {
        let (clip, output) = (settings.boolean("clip"), settings.text("output"));
        outputs::check(&[&output])?;
        if !clip && output.is_empty() {
            return Err(
                "moments are neither clipped nor shown; write output = \"moment\" or clip = true"
                    .to_owned(),
            );
        }
        let bucket = settings.duration("bucket");
        let memory = settings.duration("memory") / bucket;
        let warm_up = settings.duration("warm_up") / bucket;
        if !(LEAST_BUCKETS..=MOST_BUCKETS).contains(&memory) {
            return Err(format!(
                "`memory` has {memory} times the length of `bucket`; that must be {LEAST_BUCKETS} to {MOST_BUCKETS}"
            ));
        }
        if !(LEAST_BUCKETS..=memory).contains(&warm_up) {
            return Err(format!(
                "`warm_up` has {warm_up} times the length of `bucket`; that must be {LEAST_BUCKETS} to {memory}, which is all of `memory`"
            ));
        }
        Ok(Self {
            clip,
            seconds: u32::try_from(settings.integer("seconds")).unwrap_or(30),
            delay: settings.duration("delay"),
            title: settings.text("title"),
            words: settings.boolean("words"),
            people: settings.integer("people").unsigned_abs(),
            sensitivity: settings.number("sensitivity"),
            bucket,
            memory: memory as usize,
            warm_up: warm_up as usize,
            cooldown: settings.duration("cooldown"),
            raid_pause: settings.duration("raid_pause"),
            json: settings.text("format") == JSON,
            reactions: Reactions {
                clips: lower(settings, "clips"),
                laughs: lower(settings, "laughs"),
                asides: lower(settings, "asides"),
            },
            output,
            bots: listed(settings, "bots"),
            shared: settings.boolean("shared"),
        })
    }

    /// What the rule wants to be called for, and that it must be able to make clips if it shall.
    pub(crate) fn interests(&self) -> Interests {
        let mut interests = Interests::none().kind(Kind::Chat).kind(Kind::Streams);
        if self.raid_pause > 0 {
            interests = interests.kind(Kind::Raids);
        }
        if self.clip { interests.need(Ability::Clip) } else { interests }
    }

    /// Whether the person of a line counts.
    pub(crate) fn counts(&self, line: &ChatLine) -> bool {
        let elsewhere = line.shared_from.is_some() && !self.shared;
        !elsewhere && !is_listed(&self.bots, &line.person)
    }
}

/// A list without what stands for everything, in lower case.
fn lower(settings: &Settings, name: &str) -> Vec<String> {
    let texts = settings.texts(name).into_iter().map(|text| text.trim().to_lowercase());
    texts.filter(|text| !text.is_empty()).collect()
}
