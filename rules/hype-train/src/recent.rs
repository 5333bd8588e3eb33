//! What may start a train: recent events that bring enough points.

use heat_rule::{Call, Timestamp, state};

use crate::configured::Configured;
use crate::points::Given;
use crate::{HypeTrainRule, own};

/// The key of the recent events, oldest first.
const RECENT: &str = "recent";

/// How many are remembered, so that the value stays small; it is more than any setting asks for.
const REMEMBERED: usize = 200;

/// An event: when it came, from whom, and its points.
type Recent = (Timestamp, (String, u64));

/// Remembers an event. When it is the one that starts a train, all are forgotten, and their points are returned.
pub(crate) fn add(
    call: &mut Call<HypeTrainRule>,
    settings: &Configured,
    given: Given,
) -> Option<own::Points> {
    if given.points < settings.kickoff_points {
        return None;
    }
    let now = call.now();
    let mut recent: Vec<Recent> = state::get(RECENT).unwrap_or_default();
    recent.retain(|(at, _)| at + settings.kickoff_window > now);
    if recent.len() == REMEMBERED {
        recent.remove(0);
    }
    recent.push((now, (given.by, given.points)));
    if recent.len() < settings.kickoff_events || people(&recent) < settings.kickoff_people {
        call.put(RECENT, recent);
        return None;
    }
    call.delete(RECENT);
    Some(recent.iter().fold(0, |sum: u64, (_, (_, points))| sum.saturating_add(*points)))
}

/// How many different people they come from.
fn people(recent: &[Recent]) -> usize {
    let mut ids: Vec<&str> = recent.iter().map(|(_, (by, _))| by.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len()
}
