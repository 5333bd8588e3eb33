//! Small files that cost far more to load than they take: refused by name before anything compiles them, also where there is no other
//! process to do that; and instructions that take far longer than others, which cost as much fuel.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use heat_engine::{Component, Limits, Sandbox};
use heat_tests::bombs;

use crate::stage::{component, patient, sandbox};

fn refusal(bytes: &[u8]) -> Result<String> {
    let error = Component::load(&*sandbox()?, &patient(), bytes).err().context("accepted")?;
    Ok(error.to_string())
}

#[test]
fn each_bomb_is_refused_by_what_it_has_too_much_of() -> Result<()> {
    for bomb in bombs::all() {
        let started = Instant::now();
        let said = refusal(&bomb.bytes).with_context(|| bomb.name)?;
        ensure!(said.contains(bomb.refused), "{}: {said:.300}", bomb.name);
        // Compiling them takes up to minutes. A machine that is busy has time for this.
        ensure!(started.elapsed() < Duration::from_secs(20), "{}: too slow", bomb.name);
    }
    Ok(())
}

#[test]
fn below_the_bounds_it_is_for_the_contract_to_refuse() -> Result<()> {
    for (what, bytes) in [
        ("types", bombs::types_in_types(30)),
        ("chained types", bombs::chained_types(40)),
        ("chained instances", bombs::chained_instances(40)),
        ("components", bombs::idle_components(150)),
        ("components in components", bombs::components_in_components(15)),
        ("loops", bombs::loops_in_loops(90)),
        ("blocks", bombs::blocks_in_blocks(4_000)),
        ("results", bombs::many_results(16, 100)),
        ("locals", bombs::many_locals(4_000)),
        ("jump tables", bombs::jump_tables(40_000)),
    ] {
        let said = refusal(&bytes).with_context(|| what)?;
        ensure!(said.contains("it is not a rule of heat:rules@1.0.0"), "{what}: {said:.300}");
    }
    Ok(())
}

/// A small component with a module more, whose start runs this.
fn that_starts_with(code: &str) -> Result<Vec<u8>> {
    let module = format!(
        "(module (memory 1) (table $t 1 funcref) (elem declare func $f) (elem $e (table $t) (i32.const 0) func $f) (data $d \"x\")
           (func $f) (func $start (local $i i32) (loop {code}
             (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 600000)))))
           (start $start))"
    );
    crate::broken::with_modules(&[&module])
}

#[test]
fn an_instruction_that_takes_long_costs_as_much_fuel() -> Result<()> {
    ensure!(refusal(&that_starts_with("nop")?).is_err(), "a loop alone is refused");
    for code in [
        "(elem.drop $e)",
        "(data.drop $d)",
        "(table.init $t $e (i32.const 0) (i32.const 0) (i32.const 0))",
        "(table.copy $t $t (i32.const 0) (i32.const 0) (i32.const 0))",
        "(table.fill $t (i32.const 0) (ref.null func) (i32.const 0))",
        "(drop (table.grow $t (ref.null func) (i32.const 0)))",
        "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 0))",
        "(memory.copy (i32.const 0) (i32.const 0) (i32.const 0))",
        "(memory.fill (i32.const 0) (i32.const 0) (i32.const 0))",
        "(drop (memory.grow (i32.const 0)))",
        "(drop (ref.func $f))",
    ] {
        let said = refusal(&that_starts_with(code)?).context(code)?;
        ensure!(said.contains("units of fuel"), "{code}: {said:.300}");
    }
    Ok(())
}

#[test]
fn what_is_loaded_already_is_shared_as_long_as_it_is_in_use() -> Result<()> {
    let sandbox = Sandbox::new(None)?;
    let bytes = component("totals-one")?;
    let load = |limits: &Limits| Component::shared(&sandbox, limits, &bytes, &|_| true);
    let first = load(&patient())?;
    ensure!(std::sync::Arc::ptr_eq(&first, &load(&patient())?));
    // A slot with less memory may not have it all the same.
    let less = Limits { memory: 1000, ..patient() };
    ensure!(load(&less).err().context("accepted")?.to_string().contains("as many as memory"));
    let weak = std::sync::Arc::downgrade(&first);
    drop(first);
    ensure!(weak.upgrade().is_none(), "it is kept though nobody uses it");
    load(&patient())?;
    Ok(())
}
