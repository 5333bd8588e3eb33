//! What a trap costs: an event whose call traps, and the next, which needs a new instance, beside two good ones.

use anyhow::Result;
use heat_tests::figures::Samples;
use serde_json::json;

use crate::Setup;
use crate::attacks::print;
use crate::stage::Stage;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let mut stage = Stage::new(setup)?;
    for (name, command) in [("a trap", "trap"), ("a trap 2,000 calls deep", "deep-trap")] {
        let (mut good, mut trapped) = (Samples::default(), Samples::default());
        for _ in 0..setup.rounds * 50 {
            let pair = stage.attack("remember")?.took + stage.attack("remember")?.took;
            good.push(pair.as_secs_f64() * 1e3);
            let pair = stage.attack(command)?.took + stage.attack("remember")?.took;
            trapped.push(pair.as_secs_f64() * 1e3);
        }
        stage.engine.commit()?;
        let cost = trapped.median() - good.median();
        print(&json!({ "trap": name, "cost_ms": cost, "good_ms": good.median() / 2.0 }))?;
    }
    Ok(())
}
