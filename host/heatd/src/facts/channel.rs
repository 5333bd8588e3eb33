//! One channel that both sources tell of: what chat has told, and what EventSub has told and is kept back.

use std::collections::{HashMap, VecDeque};

use heat_engine::wit::Event;

use super::source::{FactKey, FactSource, key, source};

/// Two tellings of one fact are no further apart than this by their own times, in milliseconds: both are times of Twitch.
const APART: u64 = 15_000;

/// For how long something is remembered or kept back, in milliseconds: longer than it takes to notice that chat is silent (a PING after a minute, and a
/// minute for its answer).
const KEPT: u64 = 150_000;

/// More than this is not kept for a channel. The oldest goes.
const MOST: usize = 20_000;

/// What is to be done with what EventSub tells.
#[derive(Debug, PartialEq)]
pub(crate) enum FactVerdict {
    /// It is a fact.
    Pass(Box<Event>),
    /// Chat has told it, and why that is enough.
    Told,
    /// Chat is believed about it, and is heard: it is kept back until chat tells it, or is lost.
    Kept,
}

/// What both sources tell of one channel.
pub(super) struct ChannelFacts {
    is_heard: bool,
    /// What was passed on, and nobody else has told yet: by whom, and when it happened.
    passed: HashMap<FactKey, VecDeque<PassedFact>>,
    /// The keys of the above, in the order in which they came.
    order: VecDeque<(u64, FactKey)>,
    /// What EventSub has told and chat has not, in the order in which it came.
    kept: VecDeque<KeptFact>,
}

struct PassedFact {
    is_by_chat: bool,
    at: u64,
}

struct KeptFact {
    came: u64,
    key: FactKey,
    event: Event,
}

impl ChannelFacts {
    pub(super) fn new(is_heard: bool) -> Self {
        Self { is_heard, passed: HashMap::new(), order: VecDeque::new(), kept: VecDeque::new() }
    }

    pub(super) fn heard(&mut self) {
        self.is_heard = true;
    }

    /// Chat is lost, and was heard last at `last`. What EventSub told shortly before may have been under way.
    pub(super) fn lost(&mut self, last: u64) -> Vec<Event> {
        self.is_heard = false;
        let since = last.saturating_sub(APART);
        let kept = std::mem::take(&mut self.kept).into_iter().filter(|it| it.came >= since);
        let mut events = Vec::new();
        for KeptFact { came, key, event } in kept {
            self.note(came, key, PassedFact { is_by_chat: false, at: event.at });
            events.push(event);
        }
        events
    }

    /// Whether what chat tells is new.
    pub(super) fn of_chat(&mut self, now: u64, event: &Event) -> bool {
        let Some(key) = key(&event.id, &event.what) else { return true };
        self.forget(now);
        if self.matches(&key, event.at, false) {
            return false;
        }
        let same = |it: &KeptFact| it.key == key && (key.is_exact() || near(it.event.at, event.at));
        match self.kept.iter().position(same) {
            // EventSub was faster: now both have told it.
            Some(place) => drop(self.kept.remove(place)),
            None => self.note(now, key, PassedFact { is_by_chat: true, at: event.at }),
        }
        true
    }

    pub(super) fn of_eventsub(&mut self, now: u64, event: Event) -> FactVerdict {
        let key = match (source(&event.what), key(&event.id, &event.what)) {
            (FactSource::ChatThenEventSub, Some(key)) => key,
            _ => return FactVerdict::Pass(Box::new(event)),
        };
        self.forget(now);
        if self.matches(&key, event.at, true) {
            return FactVerdict::Told;
        }
        if self.is_heard {
            if self.kept.len() == MOST {
                self.kept.pop_front();
            }
            self.kept.push_back(KeptFact { came: now, key, event });
            return FactVerdict::Kept;
        }
        self.note(now, key, PassedFact { is_by_chat: false, at: event.at });
        FactVerdict::Pass(Box::new(event))
    }

    /// Whether the other source has passed this on. Each telling stands for one fact, so it is used up.
    fn matches(&mut self, key: &FactKey, at: u64, by_chat: bool) -> bool {
        let Some(passed) = self.passed.get_mut(key) else { return false };
        let same =
            |it: &PassedFact| it.is_by_chat == by_chat && (key.is_exact() || near(it.at, at));
        let Some(place) = passed.iter().position(same) else { return false };
        passed.remove(place);
        if passed.is_empty() {
            self.passed.remove(key);
        }
        true
    }

    fn note(&mut self, now: u64, key: FactKey, passed: PassedFact) {
        self.order.push_back((now, key.clone()));
        self.passed.entry(key).or_default().push_back(passed);
    }

    /// Drops what is too old to matter.
    fn forget(&mut self, now: u64) {
        let is_old = |came: u64| came + KEPT < now;
        while self.order.len() > MOST || self.order.front().is_some_and(|(came, _)| is_old(*came)) {
            let Some((_, key)) = self.order.pop_front() else { break };
            if let Some(passed) = self.passed.get_mut(&key) {
                passed.pop_front();
                if passed.is_empty() {
                    self.passed.remove(&key);
                }
            }
        }
        while self.kept.front().is_some_and(|it| is_old(it.came)) {
            self.kept.pop_front();
        }
    }
}

fn near(one: u64, other: u64) -> bool {
    one.abs_diff(other) <= APART
}

#[cfg(test)]
mod tests;
