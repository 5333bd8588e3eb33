//! Work that takes time: heatd tells step by step how far it is, one JSON object a line, and at the end how it went.

use std::io::{BufRead, BufReader, IsTerminal, Read, stderr};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize;
use serde_json::Value;

use crate::terminal::words::{count, duration};
use crate::terminal::{clean, note, print};

/// Compiling is announced when it takes longer than this: a shorter one is over before it is read.
const WORTH_SAYING: Duration = Duration::from_secs(1);

/// How often a bar moves by itself.
const TICK: Duration = Duration::from_millis(100);

/// The lines as they come.
pub(crate) struct Progress(BufReader<Box<dyn Read + Send + Sync>>);

/// One step on the way.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
struct Step {
    step: String,
    expected_ms: Option<u64>,
    elapsed_ms: Option<u64>,
    done: Option<u64>,
    total: Option<u64>,
}

impl Progress {
    pub(crate) fn new(source: Box<dyn Read + Send + Sync>) -> Self {
        Self(BufReader::new(source))
    }

    /// Shows the steps until the last line, and returns that. What heatd refuses is an error.
    pub(crate) fn follow(mut self, json: bool) -> Result<Value> {
        let mut shown = match (json, stderr().is_terminal()) {
            (true, _) => ProgressDisplay::Nothing,
            (false, true) => ProgressDisplay::Bar(None),
            (false, false) => ProgressDisplay::Lines,
        };
        let mut latest = String::new();
        while let Some(line) = self.next() {
            if json {
                print(&format!("{}\n", clean::json(&line)))?;
            }
            let Ok(value) = serde_json::from_str::<Value>(&line) else { break };
            if let Some(refused) = value["refused"].as_str() {
                shown.end();
                bail!("heatd refuses: {refused}");
            }
            if value.get("message").is_some() {
                shown.end();
                return Ok(value);
            }
            if let Ok(step) = Step::deserialize(value) {
                shown.step(&step, latest != step.step);
                latest = step.step;
            }
        }
        shown.end();
        Err(broken_off(&latest))
    }

    /// The next line that says something; none at the end, also at one that comes too early.
    fn next(&mut self) -> Option<String> {
        let mut line = String::new();
        loop {
            line.clear();
            match self.0.read_line(&mut line) {
                Ok(0) | Err(_) => return None,
                Ok(_) if line.trim().is_empty() => {}
                Ok(_) => return Some(line.trim().to_owned()),
            }
        }
    }
}

/// heatd has not said how it ended.
fn broken_off(latest: &str) -> anyhow::Error {
    let at = match latest {
        "" => String::new(),
        step => format!(" while {}", doing(step)),
    };
    anyhow!(
        "the connection to heatd broke off{at}; whether it was done, `heat rules audit` says, and if heatd has ended, its log says why"
    )
}

/// How steps are shown.
enum ProgressDisplay {
    Nothing,
    Lines,
    Bar(Option<ProgressBar>),
}

impl ProgressDisplay {
    fn step(&mut self, step: &Step, is_new: bool) {
        if let (true, Some(words)) = (is_new, step.expectation()) {
            self.end();
            if !matches!(self, Self::Nothing) {
                note(&words);
            }
        } else if is_new && matches!(self, Self::Lines) {
            note(&Step { done: None, ..step.clone() }.words());
        }
        if let Self::Bar(bar) = self {
            if is_new && let Some(old) = bar.take() {
                old.finish_and_clear();
            }
            let bar = bar.get_or_insert_with(|| step.bar());
            let (position, length) = step.position();
            bar.set_length(length);
            bar.set_position(position);
            bar.set_message(clean::text(&step.words()));
        }
    }

    /// Takes the bar away.
    fn end(&mut self) {
        if let Self::Bar(bar) = self
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }
}

impl Step {
    fn bar(&self) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // Where it is not known how much there is to do, something turns.
        let template = match self.position().1 {
            0 => "{spinner} {msg}, {elapsed}",
            _ => "{bar:30} {percent:>3}% {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("█▌░").tick_chars("|/-\\ "));
        }
        let (position, length) = self.position();
        bar.set_length(length);
        bar.set_position(position);
        bar.set_message(clean::text(&self.words()));
        bar.enable_steady_tick(TICK);
        bar
    }

    /// How far it is, and how far it goes; 0 when that is not known.
    fn position(&self) -> (u64, u64) {
        match (self.total, self.expected_ms) {
            (Some(total), _) if total > 0 => (self.done.unwrap_or(0).min(total), total),
            (_, Some(expected)) => (self.elapsed_ms.unwrap_or(0).min(expected), expected),
            _ => (0, 0),
        }
    }

    fn words(&self) -> String {
        let what = doing(&self.step);
        // The log has more than events: what was counted, timers, chains.
        let unit = if self.step == "back-up" { "rows" } else { "records" };
        match (self.done, self.total) {
            (Some(done), Some(total)) => {
                format!("{what}, {} of {} {unit}", count(done), count(total))
            }
            (Some(done), None) => format!("{what}, {} {unit}", count(done)),
            (None, Some(total)) => format!("{what}, {} {unit}", count(total)),
            (None, None) => what.to_owned(),
        }
    }

    /// What is said before something that takes long.
    fn expectation(&self) -> Option<String> {
        let expected = Duration::from_millis(self.expected_ms?);
        (expected >= WORTH_SAYING)
            .then(|| format!("{} takes about {}", doing(&self.step), duration(expected)))
    }
}

/// What heatd does in a step.
fn doing(step: &str) -> &str {
    match step {
        "compile" => "compiling",
        "migrate" => "taking the state over",
        "check" => "trying it on what happened before",
        "copy" => "copying the state",
        "replay" => "playing the log again",
        "back-up" => "copying everything",
        "recount" => "counting again",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(lines: &'static str) -> Result<Value> {
        Progress::new(Box::new(lines.as_bytes())).follow(false)
    }

    #[test]
    fn the_last_line_is_the_answer() {
        let lines = "{\"step\":\"compile\",\"expected_ms\":10}\n\n{\"step\":\"new\"}\n{\"message\":\"it is live\",\"state\":\"kept\"}\n";
        assert_eq!(follow(lines).unwrap()["state"], "kept");
    }

    #[test]
    fn a_refusal_is_an_error_with_its_sentence() {
        let error = follow("{\"step\":\"check\"}\n{\"refused\":\"it traps\"}\n").unwrap_err();
        assert_eq!(error.to_string(), "heatd refuses: it traps");
    }

    #[test]
    fn an_end_without_an_answer_is_an_error_that_says_where() {
        for cut in ["", "{\"step\":\"check\"}\n", "{\"step\":\"check\"}\n{\"message\":\"it is li"] {
            let error = follow(cut).unwrap_err().to_string();
            assert!(error.contains("broke off"), "{error}");
            assert_eq!(error.contains("while trying it on"), !cut.is_empty(), "{error}");
        }
    }

    #[test]
    fn steps_are_said_as_people_do() {
        let step = |json| serde_json::from_str::<Step>(json).unwrap();
        let compile = step(r#"{"step":"compile","expected_ms":31000,"elapsed_ms":40000}"#);
        assert_eq!(compile.expectation().as_deref(), Some("compiling takes about 31 s"));
        assert_eq!(compile.position(), (31_000, 31_000));
        assert_eq!(step(r#"{"step":"compile","expected_ms":90}"#).expectation(), None);
        let check = step(r#"{"step":"check","done":812,"total":1000}"#);
        assert_eq!(check.words(), "trying it on what happened before, 812 of 1,000 records");
        assert_eq!(check.position(), (812, 1000));
        assert_eq!(step(r#"{"step":"tomorrow"}"#).position(), (0, 0));
    }
}
