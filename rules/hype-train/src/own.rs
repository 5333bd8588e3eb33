//! The train that this rule drives. It does not lose points: it runs until a level is not filled in time.

use heat_rule::state::Stored;
use heat_rule::{Call, Timestamp};

use crate::configured::Configured;
use crate::points::Given;
use crate::{HypeTrainRule, LEVEL, recent};

/// Points since the start of a train.
pub(crate) type Points = u64;

/// Our train, or the one that was last.
#[derive(Default, Clone, PartialEq)]
pub(crate) struct Train {
    /// Whether it runs.
    pub(crate) runs: bool,
    pub(crate) points: Points,
    /// When it is over unless a level is filled, or when it was over.
    pub(crate) ends: Timestamp,
}

impl Train {
    /// How many levels are filled.
    fn filled(&self, settings: &Configured) -> usize {
        settings.levels.iter().filter(|(goal, _)| self.points >= *goal).count()
    }

    /// The place of the level that it is on; the last one is not left.
    pub(crate) fn level(&self, settings: &Configured) -> usize {
        self.filled(settings).min(settings.levels.len() - 1)
    }
}

/// Takes points: onto the train, or towards the start of one.
pub(crate) fn take(
    call: &mut Call<HypeTrainRule>,
    settings: &Configured,
    given: Given,
    train: &mut Train,
) {
    let now = call.now();
    if train.runs {
        let before = train.filled(settings);
        train.points = train.points.saturating_add(given.points);
        if train.filled(settings) > before {
            wait(call, settings, train);
        }
        return;
    }
    let had_one = train.ends > 0;
    if had_one && now < train.ends.saturating_add(settings.cooldown) {
        return;
    }
    if let Some(points) = recent::add(call, settings, given) {
        *train = Train { runs: true, points, ends: now };
        wait(call, settings, train);
    }
}

/// Gives the level that has begun its time.
fn wait(call: &mut Call<HypeTrainRule>, settings: &Configured, train: &mut Train) {
    train.ends = call.now() + settings.level_time;
    call.wake_at(LEVEL, train.ends);
}

/// The level was not filled in time.
pub(crate) fn is_over(train: &mut Train) {
    train.runs = false;
}

impl Stored for Train {
    fn to_bytes(&self) -> Vec<u8> {
        (u32::from(self.runs), (self.points, self.ends)).to_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (runs, (points, ends)): (u32, (u64, u64)) = Stored::from_bytes(bytes)?;
        Some(Self { runs: runs > 0, points, ends })
    }
}
