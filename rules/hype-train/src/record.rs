//! The best train so far: the highest level, and of those as high the most points. It is of the rule's own trains, or of
//! Twitch's where the rule has none.

use heat_rule::{Call, state};

use crate::HypeTrainRule;
use crate::configured::Configured;
use crate::shown::Trains;

/// The key of the record.
const RECORD: &str = "record";

/// The level and the points of the best train, if there was any, with this one taken in.
pub(crate) fn with(
    call: &mut Call<HypeTrainRule>,
    settings: &Configured,
    trains: &Trains,
) -> Option<(u64, u64)> {
    let record: Option<(u64, u64)> = state::get(RECORD);
    let now = match settings.own {
        true if trains.own.runs => (trains.own.level(settings) as u64 + 1, trains.own.points),
        true => return record,
        false => (trains.twitch.level, trains.twitch.points),
    };
    if now.0 > 0 && record.is_none_or(|record| now > record) {
        call.put(RECORD, now);
        return Some(now);
    }
    record
}
