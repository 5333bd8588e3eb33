//! Uploads that are no rule, not this slot's, or not whole: each is refused with the reason, and nothing has changed.

use anyhow::{Result, ensure};
use std::io::Write;
use std::net::Shutdown;

use serde_json::json;

use super::api::WASM;
use super::{Stage, cast};

#[test]
fn what_is_no_rule_is_refused_and_leaves_nothing_behind() -> Result<()> {
    let stage = Stage::new()?;
    stage.fave("ann");
    stage.heat("1")?;
    let before = stage.rule("decay")?;
    let decay = cast::rule("decay")?;
    let refused = |component: &[u8], part: &str| -> Result<()> {
        let why = stage.api.deploy("decay", component)?.refused()?;
        ensure!(why.contains(part), "{part:?} is not in {why:?}");
        ensure!(why.len() < 1000 && !why.contains("/root/") && !why.contains(".rs:"), "{why}");
        Ok(())
    };
    refused(b"", "not a WebAssembly component")?;
    refused(b"hello, I am a rule", "not a WebAssembly component")?;
    for length in [1, 7, 9, 100, decay.len() / 2, decay.len() - 1] {
        refused(&decay[..length], "not a WebAssembly component")?;
    }
    // Its first eight bytes are a component that has nothing.
    refused(&decay[..8], "not a rule of heat:rules@1.0.0: no export `describe` found")?;
    refused(b"\0asm\x01\0\0\0", "it is a core module, not a component; `heat rules pack`")?;
    refused(&wat::parse_str("(component)")?, "not a rule of heat:rules@1.0.0")?;
    let older = wat::parse_str("(component (import \"heat:rules/state@0.9.0\" (instance)))")?;
    refused(&older, "built for heat:rules@0.9.0, and this heatd speaks heat:rules@1.0.0")?;
    let wasi = wat::parse_str("(component (import \"wasi:cli/environment@0.2.0\" (instance)))")?;
    refused(&wasi, "imports `wasi:cli/environment@0.2.0`, which no rule gets")?;
    refused(&cast::rule("fave")?, "it is a handler, and the slot decay is for a formula")?;
    refused(&cast::guest("liar")?, "half_life")?;
    refused(&decay, "it is live already")?;
    let why = stage.api.shadow("decay", &cast::rule("multiplier")?)?.refused()?;
    ensure!(why.contains("it is a multiplier"), "{why}");

    let after = stage.rule("decay")?;
    ensure!(
        after["digest"] == before["digest"]
            && after["state"] == "live"
            && after["shadow"].is_null(),
        "{after}"
    );
    ensure!(after["since"] == before["since"] && after["changed"] == false, "{after}");
    let history = stage.history()?;
    ensure!(
        history.len() == 16 && history.iter().all(|it| it.0 == "deploy" && it.2),
        "{history:?}"
    );
    stage.fave("bob");
    stage.heat("2")
}

#[test]
fn an_upload_that_is_cut_off_or_one_of_two_changes_nothing() -> Result<()> {
    let stage = Stage::new()?;
    let decay = cast::rule("decay")?;
    let mut cut = stage.api.begin("PUT", "channels/seaside/rules/decay", WASM, decay.len())?;
    cut.write_all(&decay[..decay.len() / 2])?;
    cut.shutdown(Shutdown::Both)?;
    let mut silent = stage.api.begin("PUT", "channels/seaside/rules/decay", WASM, decay.len())?;
    silent.write_all(&decay[..10])?;

    // While those hang, two others come at once: each is done or told why not, and one at least is done.
    let padded: Vec<_> = (1..=2).map(|bytes| cast::padded(&decay, bytes)).collect::<Result<_>>()?;
    let answers: Vec<_> = std::thread::scope(|scope| {
        let deploy = |component| stage.api.deploy("decay", component);
        let started: Vec<_> = padded.iter().map(|it| scope.spawn(move || deploy(it))).collect();
        started
            .into_iter()
            .map(|it| it.join().map_err(|_| anyhow::anyhow!("no answer"))?)
            .collect::<Result<_>>()
    })?;
    let done: Vec<_> = answers.iter().filter_map(|it| it.done().ok()).collect();
    ensure!(!done.is_empty(), "{answers:?}");
    for answer in answers.iter().filter(|it| it.done().is_err()) {
        let why = answer.refused()?;
        ensure!(why.contains("another change of the slot decay is under way"), "{why}");
    }
    let live = stage.rule("decay")?;
    ensure!(done.iter().any(|it| it["standing"]["digest"] == live["digest"]), "{live}");
    let history = stage.history()?;
    assert_eq!(history.len(), 2, "what was cut off is not even in the history");
    assert_eq!(history.iter().filter(|it| it.2).count(), 2 - done.len());
    // Nothing of it hinders the next one.
    stage.api.slot("decay/settings", &json!({ "set": { "per_fave": 3 } }))?.done()?;
    stage.fave("ann");
    stage.heat("3")
}
