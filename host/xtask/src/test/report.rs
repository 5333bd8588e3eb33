//! What came of the tests: how each ended and how long it took, and the words of programs whose tests have failed.

use std::process::ExitStatus;
use std::time::Duration;

use crate::shell::say;

/// So many of the slowest tests are named at the end.
const SLOWEST: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Outcome {
    Passed,
    Failed,
    Skipped,
}

/// A test that has ended.
pub(super) struct Ended {
    /// Its program and its name.
    pub(super) test: String,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
}

impl Ended {
    pub(super) fn line(&self) -> String {
        let outcome = match self.outcome {
            Outcome::Passed => "ok",
            Outcome::Failed => "FAILED",
            Outcome::Skipped => "ignored",
        };
        format!("{:7.2} s  {} ... {outcome}", self.took.as_secs_f64(), self.test)
    }
}

/// A program of tests that has ended.
pub(super) struct Ran {
    program: String,
    pub(super) tests: Vec<Ended>,
    /// The lines it printed besides: what failed tests have said.
    pub(super) said: Vec<String>,
    /// The tests that did not end: those that ran, and those that had not begun.
    pub(super) left: (Vec<String>, Vec<String>),
    failure: Option<ExitStatus>,
    took: Duration,
}

impl Ran {
    pub(super) fn new(program: &str) -> Self {
        Self {
            program: program.to_owned(),
            tests: Vec::new(),
            said: Vec::new(),
            left: Default::default(),
            failure: None,
            took: Duration::ZERO,
        }
    }

    pub(super) fn end(&mut self, result: Result<(), ExitStatus>, took: Duration) {
        (self.failure, self.took) = (result.err(), took);
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.tests.iter().filter(|test| test.outcome == outcome).count()
    }

    /// Tests that did not end have failed, whatever the program says.
    fn unfinished(&self) -> usize {
        self.left.0.len() + self.left.1.len()
    }

    fn is_passed(&self) -> bool {
        self.failure.is_none() && self.count(Outcome::Failed) + self.unfinished() == 0
    }

    /// What is to be read when something has failed.
    fn explain(&self) {
        say(&format!("\n--- {} has failed, and said:", self.program));
        self.said.iter().for_each(|line| say(line));
        if let Some(status) = self.failure {
            say(&format!("--- {} ended with {status}", self.program));
        }
        if self.unfinished() > 0 {
            let (running, waiting) = (self.left.0.join(", "), self.left.1.len());
            say(&format!("--- it ended while these ran: {running}; {waiting} had not begun"));
        }
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct Report(Vec<Ran>);

impl Report {
    pub(super) fn add(&mut self, ran: Ran) {
        self.0.push(ran);
    }

    pub(super) fn is_passed(&self) -> bool {
        self.0.iter().all(Ran::is_passed)
    }

    /// Failures first, then times, then the counts.
    pub(super) fn print(&self) {
        let failed = || self.0.iter().filter(|ran| !ran.is_passed());
        failed().for_each(Ran::explain);
        say("\nTimes by program:");
        for ran in self.0.iter().filter(|ran| !ran.tests.is_empty()) {
            let (took, tests) = (ran.took.as_secs_f64(), ran.tests.len());
            say(&format!("{took:7.2} s  {}, {tests} tests", ran.program));
        }
        let mut tests: Vec<&Ended> = self.0.iter().flat_map(|ran| &ran.tests).collect();
        tests.sort_by_key(|test| std::cmp::Reverse(test.took));
        say("\nThe slowest tests:");
        tests.iter().take(SLOWEST).for_each(|test| say(&test.line()));
        say("");
        tests.retain(|test| test.outcome == Outcome::Failed);
        tests.iter().for_each(|test| say(&format!("FAILED: {}", test.test)));
        print(&self.counts());
    }

    fn counts(&self) -> String {
        let count = |outcome| self.0.iter().map(|ran| ran.count(outcome)).sum::<usize>();
        let unfinished: usize = self.0.iter().map(Ran::unfinished).sum();
        // A program that fails without a failed test counts as one.
        let broken = |ran: &&Ran| {
            ran.failure.is_some() && ran.count(Outcome::Failed) + ran.unfinished() == 0
        };
        let broken = self.0.iter().filter(broken).count();
        let failed = count(Outcome::Failed) + unfinished + broken;
        let skipped = count(Outcome::Skipped);
        let skipped = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
        format!("{} passed, {failed} failed{skipped}", count(Outcome::Passed))
    }
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
fn print(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(outcomes: &[Outcome]) -> Ran {
        let ended = |&outcome| Ended { test: "a".to_owned(), outcome, took: Duration::ZERO };
        Ran { tests: outcomes.iter().map(ended).collect(), ..Ran::new("program") }
    }

    #[test]
    fn every_failure_counts() {
        use Outcome::{Failed, Passed, Skipped};
        let mut report = Report(vec![ran(&[Passed, Passed, Skipped])]);
        assert!(report.is_passed());
        assert_eq!(report.counts(), "2 passed, 0 failed, 1 skipped");
        report.add(ran(&[Passed, Failed]));
        assert!(!report.is_passed());
        assert_eq!(report.counts(), "3 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn a_program_that_ends_early_has_failed() {
        let mut ran = ran(&[Outcome::Passed]);
        ran.left = (vec!["b".to_owned()], vec!["c".to_owned(), "d".to_owned()]);
        let report = Report(vec![ran]);
        assert!(!report.is_passed());
        assert_eq!(report.counts(), "1 passed, 3 failed");
    }
}
