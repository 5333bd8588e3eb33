//! The recent pushes of a provider. They hold against answers that are older: 7TV's answers come from a cache, which may be up to half an hour
//! behind its events (SevenTV/SevenTV#81).

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::live::PushStep;
use super::sets::Set;
use super::shapes::EmoteName;

/// How long a pushed change holds against an answer that does not have it. The cache was seen to lag 10 to 30 minutes.
const HOLDS: Duration = Duration::from_secs(40 * 60);

/// More changes than any set has emotes. Past it the answers are believed again.
const MOST: usize = 10_000;

/// The last change of each emote of one set.
#[derive(Debug, Default)]
pub(super) struct Pushed(HashMap<EmoteName, (bool, Instant)>);

impl Pushed {
    /// Takes changes that have been applied.
    pub(super) fn note(&mut self, steps: &[&PushStep], now: Instant) {
        for step in steps {
            match step {
                PushStep::Added(emote) => drop(self.0.insert(emote.clone(), (true, now))),
                PushStep::Removed(emote) => drop(self.0.insert(emote.clone(), (false, now))),
                PushStep::Unclear => {}
            }
        }
        if self.0.len() > MOST {
            self.0.clear();
        }
    }

    /// Another set is chosen: what was pushed was of the one before.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Applies to an answer the recent pushes that it does not have. True: the answer lacked something.
    pub(super) fn hold_against(&mut self, answer: &mut Set, now: Instant) -> bool {
        self.0.retain(|_, (_, at)| now.duration_since(*at) < HOLDS);
        let of = |wanted: bool| {
            self.0.iter().filter(move |(_, (added, _))| *added == wanted).map(|(emote, _)| emote)
        };
        let mut lacked = false;
        for (name, id) in of(false) {
            lacked |= answer.remove(name, id);
        }
        for (name, id) in
            of(true).filter(|(name, id)| answer.id(name) != Some(id)).cloned().collect::<Vec<_>>()
        {
            // An emote of the same name in an older answer is the one that this one has replaced.
            answer.insert((name, id));
            lacked = true;
        }
        lacked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotes::sets::set;

    fn emote(name: &str, id: &str) -> EmoteName {
        (name.into(), id.into())
    }

    #[test]
    fn what_was_pushed_holds_against_an_older_answer_for_a_while() {
        let start = Instant::now();
        let mut pushed = Pushed::default();
        let (new, old) = (PushStep::Added(emote("new", "1")), PushStep::Removed(emote("old", "2")));
        pushed.note(&[&new, &old], start);
        let answer = Set::clone(&set(&[("old", "2"), ("kept", "3")]));
        let mut held = answer.clone();
        assert!(pushed.hold_against(&mut held, start + HOLDS / 2));
        assert_eq!(held, *set(&[("kept", "3"), ("new", "1")]));
        assert!(!pushed.hold_against(&mut held, start + HOLDS / 2));
        let mut later = answer.clone();
        assert!(!pushed.hold_against(&mut later, start + HOLDS));
        assert_eq!(later, answer);
    }

    #[test]
    fn the_last_of_several_changes_holds_and_a_renamed_emote_takes_its_name() {
        let now = Instant::now();
        let mut pushed = Pushed::default();
        let was = emote("a", "1");
        pushed.note(&[&PushStep::Added(was.clone()), &PushStep::Removed(was)], now);
        pushed.note(&[&PushStep::Added(emote("a", "2"))], now);
        let mut answer = Set::clone(&set(&[("a", "1")]));
        assert!(pushed.hold_against(&mut answer, now));
        assert_eq!(answer, *set(&[("a", "2")]));
    }
}
