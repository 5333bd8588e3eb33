//! Twitch's own train, from the stages that are told. They may come out of order: a stage never takes the train back, and the end of
//! a train ends it for good.

use heat_rule::state::Stored;
use heat_rule::{Call, HypeTrain, HypeTrainStage};

use crate::{HypeTrainRule, SILENCE};

/// How long Twitch gives a level, in milliseconds. Every contribution is told, so that as much silence is an end that was lost, or a lost connection.
const LEVEL_TIME: u64 = 300_000;

/// Twitch's train, or the one that was last.
#[derive(Default, Clone, PartialEq)]
pub(crate) struct Train {
    /// Its id; empty when there was none.
    id: String,
    /// Whether it runs, as far as is known.
    pub(crate) runs: bool,
    /// Whether its end was told.
    ended: bool,
    pub(crate) level: u64,
    pub(crate) points: u64,
    pub(crate) goal: u64,
}

/// Takes in a stage.
pub(crate) fn heed(call: &mut Call<HypeTrainRule>, stage: &HypeTrain, train: &mut Train) {
    let ends = stage.stage == HypeTrainStage::End;
    if train.id != stage.train {
        // The end of another train, which comes late, is no news of the one that runs.
        if ends && train.runs {
            return;
        }
        *train = Train { id: stage.train.clone(), ..Train::default() };
    }
    if train.ended {
        return;
    }
    let level = u64::from(stage.level);
    if (level, stage.points) > (train.level, train.points) {
        (train.level, train.points, train.goal) = (level, stage.points, stage.goal);
    }
    (train.runs, train.ended) = (!ends, ends);
    if ends {
        call.cancel_wake(SILENCE);
    } else {
        call.wake_at(SILENCE, call.now() + LEVEL_TIME);
    }
}

/// Takes the train for over, until more is heard of it.
pub(crate) fn is_silent(train: &mut Train) {
    train.runs = false;
}

impl Stored for Train {
    fn to_bytes(&self) -> Vec<u8> {
        let (runs, ended) = (u64::from(self.runs), u64::from(self.ended));
        let numbers = vec![runs, ended, self.level, self.points, self.goal];
        (self.id.clone(), numbers).to_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, numbers): (String, Vec<u64>) = Stored::from_bytes(bytes)?;
        match numbers.as_slice() {
            &[runs, ended, level, points, goal] => {
                Some(Self { id, runs: runs > 0, ended: ended > 0, level, points, goal })
            }
            _ => None,
        }
    }
}
