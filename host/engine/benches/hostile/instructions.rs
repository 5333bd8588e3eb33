//! How long a call takes that spends all its fuel on one kind of instruction: what bounds the time of every call.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use heat_engine::{Limits, engine_config};
use serde_json::json;
use wasmtime::{Engine, Instance, Module, Store};

use crate::Setup;
use crate::attacks::print;

/// What is repeated: it leaves the stack as it was.
const INSTRUCTIONS: [(&str, &str); 44] = [
    ("i32.add", "(local.set $i (i32.add (local.get $i) (i32.const 3)))"),
    ("i32.div_u", "(local.set $i (i32.div_u (local.get $i) (i32.const 3)))"),
    (
        "i64.rem_s",
        "(local.set $l (i64.rem_s (i64.const -7) (i64.or (local.get $l) (i64.const 5))))",
    ),
    ("i64.popcnt", "(local.set $l (i64.popcnt (local.get $l)))"),
    ("f64.sqrt", "(local.set $f (f64.sqrt (local.get $f)))"),
    ("f64.div", "(local.set $f (f64.div (local.get $f) (f64.const 1.1)))"),
    ("f64.nearest", "(local.set $f (f64.nearest (local.get $f)))"),
    ("f64.min", "(local.set $f (f64.min (local.get $f) (f64.const 1.1)))"),
    ("i64.trunc_sat_f64_u", "(local.set $l (i64.trunc_sat_f64_u (local.get $f)))"),
    ("f64.convert_i64_u", "(local.set $f (f64.convert_i64_u (local.get $l)))"),
    ("global.set", "(global.set $g (i32.const 1))"),
    ("i32.load", "(local.set $i (i32.load (i32.const 8)))"),
    (
        "i32.load all over 16 MiB",
        "(local.set $i (i32.load (i32.and (i32.mul (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 40503232)) (i32.const 0xfffff0))))",
    ),
    ("memory.size", "(drop (memory.size))"),
    ("memory.grow by nothing", "(drop (memory.grow (i32.const 0)))"),
    ("memory.fill of nothing", "(memory.fill (i32.const 0) (i32.const 0) (i32.const 0))"),
    ("memory.fill of 64 bytes", "(memory.fill (i32.const 0) (i32.const 0) (i32.const 64))"),
    ("memory.copy of nothing", "(memory.copy (i32.const 0) (i32.const 9) (i32.const 0))"),
    ("memory.copy of 64 bytes", "(memory.copy (i32.const 0) (i32.const 99) (i32.const 64))"),
    ("memory.copy of 1 MiB", "(memory.copy (i32.const 0) (i32.const 9) (i32.const 1048576))"),
    ("memory.init of nothing", "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 0))"),
    ("memory.init of 16 bytes", "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 16))"),
    ("data.drop", "(data.drop $e)"),
    ("table.get", "(drop (table.get $t (i32.const 0)))"),
    ("table.set", "(table.set $t (i32.const 0) (ref.null func))"),
    ("table.size", "(drop (table.size $t))"),
    ("table.grow by nothing", "(drop (table.grow $t (ref.null func) (i32.const 0)))"),
    ("table.fill of nothing", "(table.fill $t (i32.const 0) (ref.null func) (i32.const 0))"),
    ("table.fill of 1,000", "(table.fill $t (i32.const 0) (ref.null func) (i32.const 1000))"),
    ("table.copy of nothing", "(table.copy $t $t (i32.const 0) (i32.const 0) (i32.const 0))"),
    ("table.copy of 1,000", "(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 1000))"),
    ("table.init of nothing", "(table.init $t $p (i32.const 0) (i32.const 0) (i32.const 0))"),
    ("table.init of 2", "(table.init $t $p (i32.const 0) (i32.const 0) (i32.const 2))"),
    ("elem.drop", "(elem.drop $q)"),
    ("ref.func", "(drop (ref.func $nothing))"),
    ("ref.is_null", "(drop (ref.is_null (ref.null func)))"),
    ("call", "(call $nothing)"),
    ("call_indirect", "(call_indirect $u (type $of) (i32.const 0))"),
    ("br_table", "(block (block (br_table 0 1 0 1 (local.get $i))))"),
    ("select", "(local.set $i (select (local.get $i) (i32.const 4) (local.get $j)))"),
    ("f64x2.sqrt", "(local.set $v (f64x2.sqrt (local.get $v)))"),
    ("f64x2.div", "(local.set $v (f64x2.div (local.get $v) (local.get $w)))"),
    ("i64x2.mul", "(local.set $v (i64x2.mul (local.get $v) (local.get $w)))"),
    ("i8x16.popcnt", "(local.set $v (i8x16.popcnt (local.get $v)))"),
];

/// How often it stands in the loop, so that the loop itself counts for little.
const REPEATED: usize = 32;

pub(crate) fn run(setup: &Setup) -> Result<()> {
    let engine = Engine::new(&engine_config()).map_err(wide)?;
    for (name, code) in INSTRUCTIONS {
        let shown = format!("instruction: {name}");
        if setup.only.as_deref().is_some_and(|only| !shown.contains(only)) {
            continue;
        }
        let text = module(&code.repeat(REPEATED));
        let module = Module::new(&engine, wat::parse_str(text).context(name)?).map_err(wide)?;
        let mut least = Duration::MAX;
        for _ in 0..setup.rounds {
            least = least.min(call(&engine, &module)?);
        }
        print(&json!({ "instruction": name, "least_ms": least.as_secs_f64() * 1e3 }))?;
    }
    Ok(())
}

/// How long a call takes until its fuel is spent.
fn call(engine: &Engine, module: &Module) -> Result<Duration> {
    let mut store = Store::new(engine, ());
    store.set_fuel(Limits::default().fuel).map_err(wide)?;
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = Instance::new(&mut store, module, &[]).map_err(wide)?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").map_err(wide)?;
    let started = Instant::now();
    let ended = run.call(&mut store, ());
    let took = started.elapsed();
    anyhow::ensure!(ended.is_err(), "it came to an end");
    Ok(took)
}

fn wide(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

fn module(code: &str) -> String {
    format!(
        "(module
           (type $of (func))
           (memory 256)
           (global $g (mut i32) (i32.const 0))
           (table $t 2000 funcref)
           (table $u 1 funcref)
           (elem (table $u) (i32.const 0) func $nothing)
           (elem $p func $nothing $nothing)
           (elem $q func $nothing)
           (data $d \"0123456789abcdef\")
           (data $e \"x\")
           (func $nothing)
           (func (export \"run\")
             (local $i i32) (local $j i32) (local $l i64) (local $f f64) (local $v v128) (local $w v128)
             (local.set $f (f64.const 1e300))
             (loop $again {code} (br $again))))"
    )
}
