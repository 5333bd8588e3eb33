//! Components that are damaged, or made by hand to hurt: refused with a reason, and never a panic or an endless wait.

use anyhow::{Context, Result, ensure};
use heat_engine::wit::Happening;
use heat_engine::{Chain, Component, Engine, Limits, LoadError, Rule, Store};

use crate::stage::{CHANNEL, START, chat_line, component, patient, sandbox};

/// Loads bytes and asks what the rule takes; the words of the refusal, if there is one.
fn refusal(bytes: &[u8]) -> Result<Option<String>> {
    let (sandbox, limits) = (sandbox()?, std::sync::Arc::new(patient()));
    let made = Component::load(&sandbox, &limits, bytes)
        .and_then(|component| Rule::new(&sandbox, &limits, &std::sync::Arc::new(component), &[]));
    let Err(error) = made else { return Ok(None) };
    Ok(Some(error.to_string()))
}

fn refused(bytes: &[u8], expected: &str) -> Result<()> {
    let words = refusal(bytes)?.with_context(|| format!("accepted; expected {expected:?}"))?;
    ensure!(words.contains(expected), "{words:.500}, and not {expected:?}");
    Ok(())
}

#[test]
fn every_prefix_of_a_component_is_refused() -> Result<()> {
    let whole = component("fave")?;
    let cuts = (0..200).chain((200..whole.len()).step_by(whole.len() / 300));
    for cut in cuts {
        let words = refusal(&whole[..cut])?.with_context(|| format!("cut at {cut}: accepted"))?;
        ensure!(words.len() < 2000 && !words.is_empty(), "cut at {cut}: {words:.500}");
    }
    Ok(())
}

#[test]
fn a_component_with_a_flipped_bit_is_refused_or_stays_in_the_sandbox() -> Result<()> {
    // The smallest one: most flips hit code, and the component is compiled.
    let whole = component("totals-one")?;
    let mut outcomes = (0, 0);
    for number in 0..120usize {
        let mut bytes = whole.clone();
        let place = number * 7919 * 31 % bytes.len();
        bytes[place] ^= 1 << (number % 8);
        let (sandbox, limits) = (sandbox()?, std::sync::Arc::new(patient()));
        let Ok(loaded) = Component::load(&sandbox, &limits, &bytes) else {
            outcomes.0 += 1;
            continue;
        };
        let Ok(rule) = Rule::new(&sandbox, &limits, &std::sync::Arc::new(loaded), &[]) else {
            outcomes.0 += 1;
            continue;
        };
        outcomes.1 += 1;
        let chain = Chain { channel: CHANNEL.to_owned(), rules: vec![("odd".to_owned(), rule)] };
        let mut engine = Engine::open(sandbox, Store::in_memory()?, vec![chain], START)?;
        let line = Happening::Chat(chat_line("ann", "?fave"));
        let event = heat_engine::wit::Event {
            id: "1".to_owned(),
            channel: CHANNEL.to_owned(),
            at: START,
            what: line,
        };
        engine.handle(START, event)?;
        engine.commit()?;
    }
    ensure!(outcomes.0 > 10 && outcomes.1 > 10, "the flips try too little: {outcomes:?}");
    Ok(())
}

#[test]
fn files_sockets_clocks_and_randomness_are_refused_by_the_name_of_the_import() -> Result<()> {
    for import in [
        "wasi:filesystem/types@0.2.0",
        "wasi:filesystem/preopens@0.2.0",
        "wasi:sockets/tcp@0.2.0",
        "wasi:sockets/udp@0.2.0",
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:clocks/wall-clock@0.2.0",
        "wasi:clocks/monotonic-clock@0.2.0",
        "wasi:random/random@0.2.0",
        "wasi:cli/environment@0.2.0",
        "wasi:io/poll@0.2.0",
        "heat:rules/secrets@1.0.0",
        "heat:rules/state",
        "other:rules/state@1.0.0",
    ] {
        let bytes = wat::parse_str(format!("(component (import \"{import}\" (instance)))"))?;
        refused(&bytes, &format!("imports `{import}`"))?;
    }
    let bytes = wat::parse_str("(component (import \"heat:rules/state@2.0.0\" (instance)))")?;
    refused(&bytes, "it is built for heat:rules@2.0.0, and this heatd speaks heat:rules@1.0.0")?;
    let bytes = wat::parse_str("(component (import \"open\" (func (param \"path\" string))))")?;
    refused(&bytes, "imports `open`")
}

#[test]
fn a_view_that_is_asked_for_with_other_types_or_functions_is_refused() -> Result<()> {
    for (import, function) in [
        ("state", "(export \"write\" (func (param \"key\" string)))"),
        ("state", "(export \"get\" (func (param \"key\" u64)))"),
        ("log", "(export \"write\" (func))"),
        ("config", "(export \"set\" (func (param \"name\" string)))"),
    ] {
        let bytes = wat::parse_str(format!(
            "(component (import \"heat:rules/{import}@1.0.0\" (instance {function})))"
        ))?;
        refused(&bytes, "it is not a rule of heat:rules@1.0.0")?;
    }
    Ok(())
}

/// A good component that also makes instances of these core modules.
pub(crate) fn with_modules(modules: &[&str]) -> Result<Vec<u8>> {
    let mut bytes = component("totals-one")?;
    for (number, module) in (core_modules(&bytes)?..).zip(modules) {
        let module = wat::parse_str(module)?;
        section(&mut bytes, 1, &module);
        instantiate(&mut bytes, number);
    }
    Ok(bytes)
}

/// One core instance of this module, without arguments.
fn instantiate(bytes: &mut Vec<u8>, module: usize) {
    let mut instance = vec![1, 0];
    leb(&mut instance, module);
    instance.push(0);
    section(bytes, 2, &instance);
}

fn section(bytes: &mut Vec<u8>, id: u8, content: &[u8]) {
    bytes.push(id);
    leb(bytes, content.len());
    bytes.extend(content);
}

/// A number as WebAssembly writes it.
fn leb(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// How many core modules a component has: sections with the number 1.
fn core_modules(bytes: &[u8]) -> Result<usize> {
    let (mut place, mut modules) = (8, 0);
    while let Some(id) = bytes.get(place) {
        let (mut length, mut shift) = (0, 0);
        loop {
            place += 1;
            let byte = *bytes.get(place).context("a section without a length")?;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        place += 1 + length;
        modules += usize::from(*id == 1);
    }
    Ok(modules)
}

#[test]
fn what_runs_or_is_made_at_the_start_of_an_instance_has_limits_too() -> Result<()> {
    ensure!(refusal(&with_modules(&["(module)"])?)?.is_none(), "a harmless module is refused");
    for (modules, expected) in [
        (vec!["(module (func $f (loop (br 0))) (start $f))"], "units of fuel"),
        (vec!["(module (func $f unreachable) (start $f))"], "it trapped"),
        (vec!["(module (func $f (call $f)) (start $f))"], "bytes of stack"),
        (vec!["(module (memory 300))"], "bytes of memory"),
        (vec!["(module (memory 200))"; 2], "bytes of memory"),
        (vec!["(module (memory 65536))"], "bytes of memory"),
        (vec!["(module (table 10000000 funcref))"], "table"),
        (vec!["(module (table 60000 funcref))"; 2], "table"),
        (vec!["(module)"; 100], "instance"),
        (vec!["(module (memory 1) (data (i32.const 65536) \"x\"))"], "out of bounds"),
        (vec!["(module (memory 1 1 shared))"], "threads"),
        (vec!["(module (memory i64 1))"], "memory64"),
        (
            vec![
                "(module (func (param v128) (result v128) local.get 0 local.get 0 local.get 0 i8x16.relaxed_laneselect))",
            ],
            "relaxed",
        ),
    ] {
        refused(&with_modules(&modules)?, expected).with_context(|| modules[0].to_owned())?;
    }
    Ok(())
}

#[test]
fn a_component_larger_than_its_memory_is_refused_before_it_is_compiled() -> Result<()> {
    let limits = Limits { memory: 1 << 20, ..patient() };
    let mut bytes = component("fave")?;
    // A custom section of 2 MiB, which means nothing.
    section(&mut bytes, 0, &[&[1, b'x'][..], &vec![0; 2 << 20]].concat());
    let error = Component::load(&*sandbox()?, &limits, &bytes).err().context("accepted")?;
    ensure!(matches!(error, LoadError::TooLarge { .. }), "{error}");
    ensure!(error.to_string().contains("`memory` in its [[rule]] gives more"), "{error}");
    Ok(())
}

#[test]
fn thousands_of_types_instances_and_nested_components_are_refused_or_mean_nothing() -> Result<()> {
    let repeated = |part: &str, count: usize| format!("(component {})", part.repeat(count));
    let nested = |depth: usize| "(component ".repeat(depth) + &")".repeat(depth);
    // Each level makes ten of the level below: ten to the power of the depth instances.
    let multiplying = |depth: usize| {
        (0..depth).fold("(component $c)".to_owned(), |inner, _| {
            format!("(component $c {inner} {})", "(instance (instantiate $c))".repeat(10))
        })
    };
    let deep_type = (1..5000).fold("(type u8)".to_owned(), |types, number| {
        format!("{types}(type (list {}))", number - 1)
    });
    for (what, text, expected) in [
        (
            "components in a row",
            repeated("(component)", 5_000),
            "components in it, and the limit is",
        ),
        (
            "modules in a row",
            repeated("(core module)", 5_000),
            "core modules in it, and the limit is",
        ),
        ("types in a row", repeated("(type (tuple u8 u8 u8))", 50_000), "types of components, and"),
        ("components in components", nested(60), "levels of components"),
        ("lists of lists", format!("(component {deep_type})"), "type nesting is too deep"),
        ("instances that multiply", multiplying(14), "with everything that it makes instances of"),
    ] {
        let bytes = wat::parse_str(&text).with_context(|| what.to_owned())?;
        refused(&bytes, expected).with_context(|| what.to_owned())?;
    }
    Ok(())
}

#[test]
fn an_instance_that_would_be_made_of_more_than_the_file_has_is_refused() -> Result<()> {
    // Each of the 60 instances would copy the same megabyte into its memory, over itself.
    let data = "(data (global.get 0) \"".to_owned() + &"x".repeat(60_000) + "\")";
    let copies = format!("(module (global i32 (i32.const 0)) (memory 1) {})", data.repeat(18));
    let mut bytes = with_modules(&[&copies])?;
    let module = core_modules(&bytes)? - 1;
    for _ in 0..60 {
        instantiate(&mut bytes, module);
    }
    refused(&bytes, "with everything that it makes instances of")?;
    // Once is in order.
    ensure!(refusal(&with_modules(&[&copies])?)?.is_none());
    Ok(())
}
