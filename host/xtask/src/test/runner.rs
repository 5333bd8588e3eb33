//! Runs test programs: those that compute one after the other with a thread for each core, and beside them those that wait.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::clock::Clock;
use super::programs::TestProgram;
use super::report::{Ended, Outcome, Ran, Report};
use crate::shell::{output, say, without_cargo_variables};

/// Programs whose tests wait for the programs that they have started more than they compute, and how many of their tests run at once.
const WAITING: [(&str, usize); 1] = [("heat-tests/flow", 4)];

/// A program in which no test ends for so long hangs, and is ended.
const LONGEST_SILENCE: Duration = Duration::from_secs(25 * 60);

/// What the harness says of a test that takes a minute. It is passed on at once: the test may hang.
const RUNS_LONG: &str = " has been running for over ";

/// How many lines of a program may wait to be read.
const LINES: usize = 1_024;

/// What all test programs get.
struct Settings<'a> {
    arguments: &'a [String],
    variable: Option<(&'a str, &'a str)>,
}

/// Runs all, and says how each test ends as it ends.
pub(super) fn run(
    programs: &[TestProgram],
    arguments: &[String],
    variable: Option<(&str, &str)>,
) -> Result<Report> {
    let settings = Settings { arguments, variable };
    let report = Mutex::new(Report::default());
    let lane = |programs: Vec<&TestProgram>| -> Result<()> {
        for program in programs {
            let ran = settings.run(program)?;
            report.lock().map_err(|_| anyhow!("another lane panicked"))?.add(ran);
        }
        Ok(())
    };
    let (waiting, computing) = programs.iter().partition(|it| waits(it).is_some());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| lane(waiting));
        lane(computing)?;
        waiting.join().map_err(|_| anyhow!("a lane of tests panicked"))?
    })?;
    report.into_inner().map_err(|_| anyhow!("a lane of tests panicked"))
}

fn waits(program: &TestProgram) -> Option<usize> {
    WAITING.iter().find(|(name, _)| *name == program.name).map(|(_, at_once)| *at_once)
}

impl Settings<'_> {
    fn run(&self, program: &TestProgram) -> Result<Ran> {
        let tests = self.list(program)?;
        if tests.is_empty() {
            return Ok(Ran::new(&program.name));
        }
        let at_once = self.at_once(program);
        let mut command = self.command(program);
        if self.threads().is_none() {
            command.args(["--test-threads", &at_once.to_string()]);
        }
        let start = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| {
            format!("failed to start the tests of {}, {}", program.name, program.file.display())
        })?;
        let clock = Clock::new(tests, at_once, start);
        let mut ran = self.follow(&program.name, &mut child, clock)?;
        let status = child.wait().context("failed to wait for tests")?;
        ran.end(status.success().then_some(()).ok_or(status), start.elapsed());
        Ok(ran)
    }

    /// Reads what the program prints until its end.
    fn follow(&self, program: &str, child: &mut Child, mut clock: Clock) -> Result<Ran> {
        let mut ran = Ran::new(program);
        let printed = child.stdout.take().context("a program without an output")?;
        let is_shown_at_once = self.arguments.iter().any(|it| it == "--nocapture");
        let (heard, lines) = sync_channel(LINES);
        thread::spawn(move || {
            // It ends with the program, or when nobody reads any more.
            for line in BufReader::new(printed).split(b'\n') {
                if heard.send(line).is_err() {
                    return;
                }
            }
        });
        loop {
            let line = match lines.recv_timeout(LONGEST_SILENCE) {
                Ok(line) => line.context("failed to read what tests print")?,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let minutes = LONGEST_SILENCE.as_secs() / 60;
                    say(&format!(
                        "--- no test of {program} has ended for {minutes} minutes, so it is ended"
                    ));
                    child.kill().context("failed to end a program that hangs")?;
                    break;
                }
            };
            let line = String::from_utf8_lossy(&line).into_owned();
            if line.contains(RUNS_LONG) {
                say(&format!("          {program} {}", line.trim_start_matches("test ")));
            } else if let Some((test, outcome)) = ended(&line) {
                let took = clock.end(test, Instant::now()).unwrap_or_default();
                let ended = Ended { test: format!("{program} {test}"), outcome, took };
                say(&ended.line());
                ran.tests.push(ended);
            } else if is_shown_at_once {
                say(&line);
            } else {
                ran.said.push(line);
            }
        }
        ran.left = clock.left();
        Ok(ran)
    }

    /// The names of the tests that will run, in their order.
    fn list(&self, program: &TestProgram) -> Result<Vec<String>> {
        let mut list = self.command(program);
        let listed = output(list.args(["--list", "--format", "terse"]));
        let listed = listed.with_context(|| format!("{} cannot list its tests", program.name))?;
        let tests = listed.lines().filter_map(|line| line.strip_suffix(": test"));
        Ok(tests.map(str::to_owned).collect())
    }

    fn command(&self, program: &TestProgram) -> Command {
        let mut command = Command::new(&program.file);
        without_cargo_variables(&mut command);
        command.current_dir(&program.folder).args(self.arguments).envs(self.variable);
        // An error that a test returns says what was wrong; where it was made would take a page each. Panics keep theirs.
        if std::env::var_os("RUST_LIB_BACKTRACE").is_none() {
            command.env("RUST_LIB_BACKTRACE", "0");
        }
        command
    }

    fn at_once(&self, program: &TestProgram) -> usize {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        self.threads().or_else(|| waits(program)).unwrap_or_else(cores)
    }

    /// What the caller says about it.
    fn threads(&self) -> Option<usize> {
        let mut arguments = self.arguments.iter();
        let value = arguments.find_map(|argument| argument.strip_prefix("--test-threads"))?;
        match value.strip_prefix('=') {
            Some(value) => value.parse().ok(),
            None => arguments.next()?.parse().ok(),
        }
    }
}

/// The name of a test and how it ended, if a line says so.
fn ended(line: &str) -> Option<(&str, Outcome)> {
    let (test, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let outcome = match outcome.split(',').next()? {
        "ok" => Outcome::Passed,
        "FAILED" => Outcome::Failed,
        "ignored" => Outcome::Skipped,
        _ => return None,
    };
    Some((test.trim_end_matches(" - should panic"), outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_harness_are_understood() {
        assert_eq!(ended("test a::b ... ok"), Some(("a::b", Outcome::Passed)));
        assert_eq!(ended("test a - should panic ... ok"), Some(("a", Outcome::Passed)));
        assert_eq!(ended("test a::b ... FAILED"), Some(("a::b", Outcome::Failed)));
        assert_eq!(ended("test a ... ignored, too slow"), Some(("a", Outcome::Skipped)));
        assert_eq!(ended("test result: ok. 3 passed; 0 failed"), None);
        assert_eq!(ended("running 3 tests"), None);
    }

    #[test]
    fn the_caller_says_how_many_run_at_once() {
        let threads = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|&it| it.to_owned()).collect();
            Settings { arguments: &arguments, variable: None }.threads()
        };
        assert_eq!(threads(&["fave"]), None);
        assert_eq!(threads(&["fave", "--test-threads", "3"]), Some(3));
        assert_eq!(threads(&["--test-threads=1"]), Some(1));
    }
}
