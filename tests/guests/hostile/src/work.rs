//! Loops that cost a processor as much as they can for each unit of fuel.

use std::cell::RefCell;
use std::hint::black_box;

use heat_rule::bindings::heat::rules::{config, counts, state};
use heat_rule::{Level, log};

thread_local! {
    /// Memory that an earlier event has filled, for as long as the instance lives.
    static FILLED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// How much of the memory is filled, in words of four bytes.
const WORDS: usize = 2 << 20;

/// Runs until something ends it. False when there is no such loop.
pub(crate) fn work(what: &str) -> bool {
    let long = "k".repeat(200_000);
    match what {
        "spin" => while black_box(true) {},
        "divide" => divide(),
        "remainder" => remainder(),
        "root" => root(),
        "chase" => chase(),
        "scatter" => scatter(),
        "fill" => fill(),
        "copy" => copy(),
        "grow-nothing" => endless(|| grow(0)),
        "grow-refused" => endless(|| grow(60_000)),
        "grow-little" => endless(|| grow(1)),
        "get-missing" => numbered(|number| state::get(&number.to_string())),
        "get-known" => endless(|| state::get("big-0")),
        "get-long" => endless(|| state::get(&long)),
        "scan" => endless(|| state::scan("", None, u32::MAX)),
        "scan-one" => endless(|| state::scan("", None, 1)),
        "scan-nothing" => endless(|| state::scan("zzz", None, 1)),
        "item" => numbered(|number| counts::of_item(&number.to_string())),
        "item-long" => endless(|| counts::of_item(&long)),
        "person-item" => {
            numbered(|number| counts::of_person_item(&number.to_string(), "x"));
        }
        "top-items" => endless(|| counts::top_items(10)),
        "top-items-all" => endless(|| counts::top_items(u32::MAX)),
        "top-people" => endless(|| counts::top_people(u32::MAX)),
        "config" => endless(|| config::get("topics")),
        "config-long" => endless(|| config::get(&long)),
        "log" => endless(|| log(Level::Debug, "x")),
        "log-long" => endless(|| log(Level::Debug, &long)),
        _ => return false,
    }
    true
}

fn endless<V>(mut step: impl FnMut() -> V) {
    while black_box(true) {
        black_box(step());
    }
}

fn numbered<V>(step: impl Fn(u32) -> V) {
    let mut number = 0;
    endless(|| {
        number += 1;
        step(number)
    });
}

/// Asks for more pages of memory.
#[cfg(target_arch = "wasm32")]
fn grow(pages: usize) -> usize {
    core::arch::wasm32::memory_grow(0, pages)
}

/// Only components have such a memory.
#[cfg(not(target_arch = "wasm32"))]
fn grow(_pages: usize) -> usize {
    std::process::abort()
}

fn divide() {
    let (mut number, by) = (black_box(u64::MAX), black_box(3u64));
    endless(|| number = (number / by) | (1 << 63));
    black_box(number);
}

fn remainder() {
    let (mut number, by) = (black_box(i64::MAX), black_box(1_000_003i64));
    endless(|| number = i64::MAX - (number % by) % black_box(17) % black_box(5));
    black_box(number);
}

fn root() {
    let mut number = black_box(1e300f64);
    endless(|| number = (number.sqrt() + 1e300 / number).sqrt().sqrt() + 1e300);
    black_box(number);
}

/// Each load waits for the one before, at a place that no cache has. The first call only fills the memory.
fn chase() {
    FILLED.with_borrow_mut(|filled| {
        if filled.is_empty() {
            *filled = vec![7; WORDS];
            return;
        }
        let mut place = 1usize;
        loop {
            let found = black_box(filled[place & (WORDS - 1)]) as usize;
            place = place.wrapping_mul(1_664_525).wrapping_add(1_013_904_223 + found);
        }
    });
}

/// Stores at places that no cache has.
fn scatter() {
    FILLED.with_borrow_mut(|filled| {
        if filled.is_empty() {
            *filled = vec![7; WORDS];
            return;
        }
        let mut place = 1usize;
        loop {
            place = place.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            filled[(place >> 3) & (WORDS - 1)] = 1;
        }
    });
}

fn fill() {
    let mut bytes = vec![0u8; 1 << 20];
    endless(|| black_box(&mut bytes).fill(black_box(7)));
}

fn copy() {
    let mut bytes = vec![0u8; 1 << 20];
    endless(|| black_box(&mut bytes).copy_within(0..1 << 19, 1 << 19));
}
