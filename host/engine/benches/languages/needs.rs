//! The smallest limits under which a rule does its work: by halving, since what the engine enforces is what counts.

use anyhow::{Result, ensure};
use heat_engine::{Component, Limits};
use heat_tests::figures::Figure;

use crate::ample;
use crate::played::{GROUP, Played};

/// One page of a WebAssembly memory.
const PAGE: u64 = 64 << 10;

pub(crate) fn run(name: &str, played: &Played) -> Result<()> {
    let instructions = least(1_000, 1 << 32, |fuel| {
        works(played, &Limits { fuel, ..ample() }, 1)
            && works(played, &Limits { fuel, ..ample() }, 64)
    })?;
    Figure::new(name, "instructions of a call, at most", "", instructions as f64).print()?;
    let pages = least(1, 1 << 14, |pages| {
        works(played, &Limits { memory: (pages * PAGE) as usize, ..ample() }, 64)
    })?;
    let memory = (pages * PAGE) as f64 / f64::from(1 << 20);
    Figure::new(name, "memory of an instance", "MiB", memory).print()
}

/// Whether every call of the rule stays within these limits: what it is, what it takes, and events. Instances that live for one
/// event show what the first call costs.
fn works(played: &Played, limits: &Limits, instance_events: u32) -> bool {
    let limits = Limits { instance_events, ..limits.clone() };
    Component::load(&played.sandbox, &limits, &played.bytes).is_ok()
        && played.play(&limits, true, 2 * GROUP).is_ok()
}

/// The least number that will do, to within half a percent. It must lie between these two.
fn least(mut too_few: u64, mut enough: u64, will_do: impl Fn(u64) -> bool) -> Result<u64> {
    ensure!(will_do(enough), "the rule fails even with limits that nothing needs");
    while enough - too_few > (enough / 200).max(1) {
        let middle = too_few.midpoint(enough);
        if will_do(middle) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    Ok(enough)
}
