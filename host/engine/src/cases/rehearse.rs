//! Plays a case over and over in one engine, and says what the calls of the rule cost.

use super::cast::{CaseError, Cast};
use super::line;
use super::play::{GROUPS, inputs, of_line, settings};
use super::section::Case;
use super::stage::Stage;
use crate::guest::meter::Measured;

/// What was measured.
#[derive(Debug, Default)]
pub struct Rehearsal {
    /// The calls of the rule and the instances that were made for them, where the sandbox has a meter.
    pub measured: Vec<Measured>,
    /// How many effects each call that did not fail had.
    pub effects: Vec<usize>,
    /// How many calls failed.
    pub faults: usize,
}

/// Lets the lines of a case happen so many times, in groups as heatd makes them. None when the rule refuses the settings of the case.
pub fn rehearse(cast: &Cast, case: &Case, rounds: u32) -> Result<Option<Rehearsal>, CaseError> {
    let [_, group] = GROUPS;
    let inputs = inputs(&case.text);
    let mut stage = match Stage::open(cast, &settings(&inputs)?, group) {
        Ok(stage) => stage,
        Err(CaseError::Refused(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut rehearsal = Rehearsal::default();
    let mut events = 0;
    for _ in 0..rounds {
        for input in &inputs {
            for (_, answer) in stage.take(of_line(input, line::read)?)? {
                if *answer.slot != *cast.rule.description.name {
                    continue;
                }
                match answer.outcome {
                    Ok(effects) => rehearsal.effects.push(effects.len()),
                    Err(_) => rehearsal.faults += 1,
                }
            }
            events += 1;
            if events % group == 0 {
                stage.end_group()?;
            }
        }
    }
    if let Some(meter) = cast.sandbox.meter() {
        let measured = meter.take().into_iter();
        rehearsal.measured =
            measured.filter(|it| *it.slot == *cast.rule.description.name).collect();
    }
    Ok(Some(rehearsal))
}
