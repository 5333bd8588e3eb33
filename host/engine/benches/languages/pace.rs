//! How long an event takes, and an instance.

use anyhow::Result;
use heat_engine::Limits;
use heat_tests::figures::{Figure, Samples};

use crate::ample;
use crate::played::{GROUP, Played};

const ROUNDS: usize = 15;
const EVENTS: u64 = 5 * GROUP;

/// Microseconds of an event with the rule, less those of the same event without it; of each the quickest round, which other programs
/// have disturbed the least.
pub(crate) fn run(name: &str, played: &Played) -> Result<()> {
    let mut rounds: [Samples; 4] = Default::default();
    for _ in 0..ROUNDS {
        let kinds = [(GROUP, true), (GROUP, false), (1, true), (1, false)];
        for (samples, (instance_events, with_rule)) in rounds.iter_mut().zip(kinds) {
            samples.push(per_event(played, instance_events, with_rule)?);
        }
    }
    let [many, many_without, one, one_without] = rounds.map(|samples| samples.quantile(0.0));
    let (many, one) = (many - many_without, one - one_without);
    // A 64th of an instance is part of `many`.
    let instance = (one - many) * GROUP as f64 / (GROUP - 1) as f64;
    Figure::new(name, "a new instance", "µs", instance).print()?;
    Figure::new(name, "an event", "µs", one - instance).print()
}

fn per_event(played: &Played, instance_events: u64, with_rule: bool) -> Result<f64> {
    let limits = Limits { instance_events: u32::try_from(instance_events)?, ..ample() };
    Ok(played.play(&limits, with_rule, EVENTS)?.as_secs_f64() * 1e6 / EVENTS as f64)
}
