//! Who has had an answer recently: no person gets the next one too soon, and all people together do not either.

use heat_rule::{Call, Timestamp, state};

use crate::Replies;
use crate::configured::Configured;

/// The key of the time of the last answer.
const LAST: &str = "last";

/// The key of the people who still wait, and since when; the longest first.
const PEOPLE: &str = "people";

/// How many are remembered, so that the value stays small.
const REMEMBERED: usize = 500;

type Waiting = Vec<(String, Timestamp)>;

/// Whether this person may have an answer now.
pub(crate) fn over(call: &Call<Replies>, settings: &Configured, person: &str) -> bool {
    let last: Option<Timestamp> = state::get(LAST);
    let for_all = last.is_none_or(|last| last + settings.global_cooldown <= call.now());
    for_all && !waiting(call, settings).iter().any(|(id, _)| id == person)
}

/// Notes that this person gets an answer.
pub(crate) fn begin(call: &mut Call<Replies>, settings: &Configured, person: &str) {
    call.put(LAST, call.now());
    if settings.user_cooldown > 0 {
        let mut waiting = waiting(call, settings);
        if waiting.len() == REMEMBERED {
            waiting.remove(0);
        }
        waiting.push((person.to_owned(), call.now()));
        call.put(PEOPLE, waiting);
    }
}

fn waiting(call: &Call<Replies>, settings: &Configured) -> Waiting {
    let mut waiting: Waiting = state::get(PEOPLE).unwrap_or_default();
    waiting.retain(|(_, since)| since + settings.user_cooldown > call.now());
    waiting
}
