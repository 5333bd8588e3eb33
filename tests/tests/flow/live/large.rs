//! Components that take long to compile, with a word on how long it will take.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Stage, cast};

/// Enough to be expected to take a moment.
const PADDING: usize = 600 << 10;

#[test]
fn a_large_component_is_compiled_by_another_process_that_may_fail() -> Result<()> {
    let stage = Stage::new()?;
    stage.fave("ann");
    stage.heat("1")?;
    let large = cast::padded(&cast::rule("decay")?, PADDING)?;
    let steps = stage.api.deploy("decay", &large)?.steps()?;
    let compile: Vec<&Value> = steps.iter().filter(|it| it["step"] == "compile").collect();
    let first = compile.first().context("nothing about the compilation")?;
    ensure!(first["expected_ms"].as_u64() > Some(0) && first["elapsed_ms"] == 0, "{steps:?}");
    let times: Vec<_> = compile.iter().filter_map(|it| it["elapsed_ms"].as_u64()).collect();
    ensure!(times.len() == compile.len() && times.is_sorted(), "{steps:?}");
    let last = steps.last().context("no step")?;
    ensure!(last["message"].is_string() && last["state"] == "kept", "{last}");
    stage.fave("bob");
    stage.heat("2")?;

    // What it says is the reason, as it would be without it.
    let broken = cast::padded(&wat::parse_str("(component)")?, PADDING)?;
    let why = stage.api.deploy("decay", &broken)?.refused()?;
    ensure!(why.contains("it is not a rule of heat:rules@1.0.0"), "{why}");
    ensure!(!why.contains("Error:") && !why.starts_with("heatd"), "{why}");
    let cut = stage.api.deploy("decay", &large[..PADDING])?.refused()?;
    ensure!(cut.contains("it is not a WebAssembly component"), "{cut}");
    let rule = stage.rule("decay")?;
    ensure!(rule["digest"] == last["standing"]["digest"], "{rule}");
    stage.fave("cy");
    stage.heat("3")
}
