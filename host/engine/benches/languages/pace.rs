//! How long an event takes, and an instance.

use anyhow::Result;
use heat_engine::Limits;
use heat_tests::figures::{Figure, Samples};

use crate::ample;
use crate::played::{GROUP, Played};

const ROUNDS: usize = 9;
const EVENTS: u64 = 10 * GROUP;

/// Each is the time with the rule, without that of the same events without it.
pub(crate) fn run(name: &str, played: &Played) -> Result<()> {
    let (mut events, mut instances) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        let many = per_event(played, GROUP)?;
        let one = per_event(played, 1)?;
        // One instance of 64 events is part of the first figure.
        let instance = ((one - many) * GROUP as f64 / (GROUP - 1) as f64).max(0.0);
        instances.push(instance);
        events.push((one - instance).max(0.0));
    }
    Figure::median(name, "a new instance", "µs", &instances).print()?;
    Figure::median(name, "an event", "µs", &events).print()
}

/// Microseconds that the rule takes for an event, when its instances live for so many of them.
fn per_event(played: &Played, instance_events: u64) -> Result<f64> {
    let limits = Limits { instance_events: u32::try_from(instance_events)?, ..ample() };
    let with = played.play(&limits, true, EVENTS)?.as_secs_f64();
    let without = played.play(&limits, false, EVENTS)?.as_secs_f64();
    Ok((with - without) * 1e6 / EVENTS as f64)
}
