//! How a slot's rule behaves: probation after a swap, and what is done with a rule that fails again and again.

use std::collections::{BTreeSet, VecDeque};

use crate::error::Fault;
use crate::store::changes::Status;

/// How long a new rule is on probation at least, in milliseconds, and how many calls it has to answer meanwhile.
pub(crate) const PROBATION_MS: u64 = 60_000;
const PROBATION_CALLS: u64 = 10;

/// A rule that is hardly ever called is on probation for no longer than this, in milliseconds.
const LONGEST_PROBATION_MS: u64 = 600_000;

/// How many failed calls end a probation: then the rule before is live again.
const PROBATION_FAULTS: usize = 3;

/// How long a failed call is remembered, in milliseconds.
const REMEMBERED_MS: u64 = 60_000;

/// A rule that took another's place a short while ago.
#[derive(Debug)]
pub(crate) struct Probation {
    pub(crate) since: u64,
    calls: u64,
    /// Outputs that the new rule has shown itself.
    pub(crate) shown: BTreeSet<String>,
}

/// How a slot's rule behaves.
#[derive(Debug)]
pub(crate) struct Breaker {
    pub(crate) status: Status,
    pub(crate) probation: Option<Probation>,
    /// Since when what runs in the slot runs there, in milliseconds since 1970.
    pub(crate) since: u64,
    /// When the recent calls failed, and why the last one did.
    faults: VecDeque<u64>,
    pub(crate) last_fault: String,
}

const MOST_REMEMBERED: usize = 1_000;

/// What has to be done about a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trip {
    Fine,
    RollBack,
    Quarantine,
}

impl Breaker {
    pub(crate) fn new(status: Status, since: u64) -> Self {
        Self { status, probation: None, since, faults: VecDeque::new(), last_fault: String::new() }
    }

    pub(crate) fn begin_probation(&mut self, now: u64) {
        self.probation = Some(Probation { since: now, calls: 0, shown: BTreeSet::new() });
        (self.since, self.status) = (now, Status::On);
        self.faults.clear();
    }

    /// The new rule shows these itself.
    pub(crate) fn show<'a>(&mut self, outputs: impl Iterator<Item = &'a String>) {
        if let Some(probation) = &mut self.probation {
            probation.shown.extend(outputs.cloned());
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.status == Status::On
    }

    pub(crate) fn called(&mut self) {
        if let Some(probation) = &mut self.probation {
            probation.calls += 1;
        }
    }

    /// A call had no effects.
    ///
    /// A rule that says of an event that it makes no sense does its work, and so does one whose output another rule has shown first.
    /// Neither counts: else a person could turn a rule off by sending it such events, and another rule by showing the output first. On
    /// probation both count, since the version before took the same events.
    pub(crate) fn failed(&mut self, now: u64, fault: &Fault) {
        if matches!(fault, Fault::Error(_) | Fault::Conflict(_)) && self.probation.is_none() {
            return;
        }
        self.count(now, fault.to_string());
    }

    /// A call took too much of the processor's time. Its effects stand: what a rule has decided does not hang on how fast a machine is.
    pub(crate) fn slow(&mut self, now: u64, why: String) {
        self.count(now, why);
    }

    fn count(&mut self, now: u64, why: String) {
        self.faults.push_back(now);
        // More than can matter need not be remembered.
        if self.faults.len() > MOST_REMEMBERED {
            self.faults.pop_front();
        }
        while self.faults.front().is_some_and(|at| at + REMEMBERED_MS < now) {
            self.faults.pop_front();
        }
        self.last_fault = why;
    }

    /// What has to be done; `most` failed calls within a minute are too many.
    pub(crate) fn trip(&self, most: usize) -> Trip {
        if !self.is_on() {
            return Trip::Fine;
        }
        match self.probation {
            Some(_) if self.faults.len() >= PROBATION_FAULTS => Trip::RollBack,
            _ if self.faults.len() >= most => Trip::Quarantine,
            _ => Trip::Fine,
        }
    }

    /// When the probation may end.
    pub(crate) fn probation_ends(&self) -> Option<u64> {
        let probation = self.probation.as_ref()?;
        let wait =
            if probation.calls >= PROBATION_CALLS { PROBATION_MS } else { LONGEST_PROBATION_MS };
        Some(probation.since + wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_probation_three_faults_are_too_many_and_later_ten_within_a_minute() {
        let why = Fault::Trap("why".to_owned());
        let mut breaker = Breaker::new(Status::On, 0);
        breaker.begin_probation(0);
        (0..2).for_each(|at| breaker.failed(at, &why));
        assert_eq!(breaker.trip(10), Trip::Fine);
        breaker.failed(2, &why);
        assert_eq!(breaker.trip(10), Trip::RollBack);
        breaker.probation = None;
        assert_eq!(breaker.trip(10), Trip::Fine);
        (3..10).for_each(|at| breaker.failed(at, &why));
        assert_eq!(breaker.trip(10), Trip::Quarantine);
        breaker.failed(REMEMBERED_MS + 9, &why);
        assert_eq!(breaker.trip(10), Trip::Fine, "the others are long ago");
    }

    #[test]
    fn a_probation_ends_after_a_minute_with_calls_and_after_ten_without() {
        let mut breaker = Breaker::new(Status::On, 0);
        assert_eq!(breaker.probation_ends(), None);
        breaker.begin_probation(5);
        assert_eq!(breaker.probation_ends(), Some(5 + LONGEST_PROBATION_MS));
        (0..PROBATION_CALLS).for_each(|_| breaker.called());
        assert_eq!(breaker.probation_ends(), Some(5 + PROBATION_MS));
    }
}
