//! Plays a case, and writes it down with the answers of now.

use std::collections::BTreeMap;

use super::cast::{CaseError, Cast};
use super::compare::difference;
use super::line::{self, SET};
use super::section::Case;
use super::stage::Stage;
use crate::chain::slot::Answer;
use crate::contract::Effect;
use crate::contract::digest::Digest;
use crate::contract::effects::effect_line;
use crate::contract::settings::Given;

/// Events that one instance is called for in the two plays of a case: each has its own, or all of a group share one.
pub const GROUPS: [u32; 2] = [1, 64];

/// How the line of a call that has failed begins.
const FAILS: &str = "fails: ";

/// What came of a case.
#[derive(Debug)]
pub enum Outcome {
    /// The rule answers as the file says.
    AsWritten,
    /// The rule answers otherwise: what was played in place of the file's text.
    Different(String),
    /// The answers, or the state at the end, depend on whether the instance is new: the rule keeps something in a variable that belongs
    /// into its state. The lines are those that differ, `-` with a new instance for each event, `+` with one for all.
    KeepsState(String),
}

/// What was played.
struct Played {
    /// The case with the answers of now.
    text: String,
    /// What the rule has put and not deleted.
    state: BTreeMap<String, Vec<u8>>,
}

/// Plays a case with new instances and with one for all events, and holds it against its text. The two must also leave the same state
/// behind, which no case shows.
pub fn judge(cast: &Cast, case: &Case) -> Result<Outcome, CaseError> {
    let [alone, together] = GROUPS;
    let (alone, together) =
        (perform(cast, &case.text, alone)?, perform(cast, &case.text, together)?);
    Ok(compared(alone, together, &case.text))
}

/// What the two plays of a case say: with new instances, and with one for all events.
fn compared(alone: Played, together: Played, written: &str) -> Outcome {
    if fail_apart(&alone.text, &together.text) {
        // A limit was hit, perhaps since a new instance has more to do: that is what is to be mended, and no variable.
        let fails_more = failures(&alone.text) > failures(&together.text);
        let is_as_written = together.text.lines().eq(written.lines());
        Outcome::Different(if fails_more || is_as_written { alone.text } else { together.text })
    } else if alone.text != together.text {
        Outcome::KeepsState(difference(&alone.text, &together.text))
    } else if alone.state != together.state {
        Outcome::KeepsState(difference(&state_lines(&alone.state), &state_lines(&together.state)))
    } else if together.text.lines().eq(written.lines()) {
        Outcome::AsWritten
    } else {
        Outcome::Different(together.text)
    }
}

/// Whether a call fails in one of two plays where it does not in the other.
fn fail_apart(alone: &str, together: &str) -> bool {
    let differing = difference(alone, together);
    differing
        .lines()
        .any(|line| !line.starts_with(' ') && line[1..].trim_start().starts_with(FAILS))
}

/// How many calls failed in what was played.
pub fn failures(played: &str) -> usize {
    played.lines().filter(|line| line.trim_start().starts_with(FAILS)).count()
}

/// Plays the text of a case, and returns it with what the rule answers; an instance is called for this many events.
pub fn play(cast: &Cast, text: &str, instance_events: u32) -> Result<String, CaseError> {
    perform(cast, text, instance_events).map(|played| played.text)
}

fn perform(cast: &Cast, text: &str, instance_events: u32) -> Result<Played, CaseError> {
    let inputs = inputs(text);
    let mut played = Played { text: String::new(), state: BTreeMap::new() };
    let mut stage = match Stage::open(cast, &settings(&inputs)?, instance_events) {
        Ok(stage) => stage,
        Err(CaseError::Refused(refusal)) => {
            let lines: Vec<&str> = inputs.iter().map(|(_, line)| *line).collect();
            played.text = format!("{}\n  refused: {refusal}\n", lines.join("\n"));
            return Ok(played);
        }
        Err(error) => return Err(error),
    };
    for input in &inputs {
        played.text.push_str(input.1);
        played.text.push('\n');
        for (now, answer) in stage.take(of_line(input, line::read)?)? {
            if *answer.slot == *cast.rule.description.name {
                played.note(&answer, now);
            }
        }
    }
    Ok(played)
}

impl Played {
    fn note(&mut self, answer: &Answer, now: u64) {
        for line in answer_lines(answer, now) {
            self.text.push_str(&format!("  {line}\n"));
        }
        for effect in answer.outcome.iter().flatten() {
            match effect {
                Effect::Put(entry) => {
                    self.state.insert(entry.key.clone(), entry.value.clone());
                }
                Effect::Delete(key) => {
                    self.state.remove(key);
                }
                _ => {}
            }
        }
    }
}

/// State on lines, for people: a short value as it is, a long one by its digest.
fn state_lines(state: &BTreeMap<String, Vec<u8>>) -> String {
    const SHORT: usize = 40;
    let line = |(key, value): (&String, &Vec<u8>)| match value.len() {
        0..=SHORT => format!("state {key} = \"{}\"\n", value.escape_ascii()),
        length => format!("state {key}: {length} bytes, {:.12}\n", Digest::of(value).to_string()),
    };
    state.iter().map(line).collect()
}

/// The lines of a case that are no answers, with their numbers.
pub(super) fn inputs(text: &str) -> Vec<(usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with("  ")).collect()
}

/// The settings of a case.
pub(super) fn settings(inputs: &[(usize, &str)]) -> Result<Vec<(String, Given)>, CaseError> {
    let settings = inputs.iter().filter(|(_, line)| line.starts_with(SET));
    settings.map(|input| of_line(input, |line| line::setting(&line[SET.len()..]))).collect()
}

/// Reads a line, or says which one cannot be read.
pub(super) fn of_line<V>(
    (number, line): &(usize, &str),
    read: impl FnOnce(&str) -> Result<V, String>,
) -> Result<V, CaseError> {
    read(line).map_err(|problem| CaseError::Line {
        number: *number,
        line: (*line).to_owned(),
        problem,
    })
}

fn answer_lines(answer: &Answer, now: u64) -> Vec<String> {
    match &answer.outcome {
        Ok(effects) => effects.iter().filter_map(|effect| visible(effect, now)).collect(),
        Err(fault) => vec![format!("{FAILS}{fault}")],
    }
}

/// Times are written from now on, as a case is read.
fn visible(effect: &Effect, now: u64) -> Option<String> {
    match effect {
        Effect::Put(_) | Effect::Delete(_) => None,
        Effect::Wake(alarm) => Some(match alarm.at {
            Some(at) => format!("wake {} in {} ms", alarm.name, at.saturating_sub(now)),
            None => format!("wake {} never", alarm.name),
        }),
        other => Some(effect_line(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_only_new_instances_hit_is_not_taken_for_state_in_a_variable() {
        let played = |text: &str| Played { text: text.to_owned(), state: BTreeMap::new() };
        let passed = "ann: ?fave\n  show heat \"1\"\n";
        let failed = "ann: ?fave\n  fails: it used more than 10000000 units of fuel\n";
        let other = "ann: ?fave\n  show heat \"2\"\n";
        for (alone, together) in [(failed, passed), (passed, failed)] {
            let outcome = compared(played(alone), played(together), passed);
            assert!(matches!(&outcome, Outcome::Different(text) if text == failed), "{outcome:?}");
        }
        // Each fails once, at another event: a call that fails leaves a smaller state behind.
        let (first, second) = (format!("{failed}{passed}"), format!("{passed}{failed}"));
        let outcome = compared(played(&first), played(&second), &second);
        assert!(matches!(&outcome, Outcome::Different(text) if *text == first), "{outcome:?}");
        let outcome = compared(played(passed), played(other), passed);
        assert!(matches!(outcome, Outcome::KeepsState(_)), "{outcome:?}");
        let outcome = compared(played(passed), played(passed), passed);
        assert!(matches!(outcome, Outcome::AsWritten), "{outcome:?}");
    }
}
