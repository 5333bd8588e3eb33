//! What it does on command: crashes, claims, floods, and the endless loops of [`crate::work`].

use std::hint::black_box;

use heat_rule::bindings::heat::rules::events::Person;
use heat_rule::bindings::heat::rules::state;
use heat_rule::{
    Alarm, ClipRequest, Delivery, Effect, Entry, Level, Message, NewFave, ONE_FAVE, Output, log,
};

use crate::lies::claimed_string;
use crate::put;
use crate::work::work;

/// Adds the effects of an attack, if it comes back at all.
pub(crate) fn attack(words: &str, now: u64, effects: &mut Vec<Effect>) -> Result<(), String> {
    let (what, rest) = words.split_once(' ').unwrap_or((words, ""));
    // What keys are named by: what the command says, or else the time.
    let group = if rest.is_empty() { now.to_string() } else { rest.to_owned() };
    if work(what) {
        return Ok(());
    }
    match what {
        "publish" => effects.push(publish(rest, Delivery::AtLeastOnce)),
        "publish-passing" => effects.push(publish(rest, Delivery::AtMostOnce)),
        "publish-much" => {
            effects.extend((0..100).map(|_| publish(rest, Delivery::AtLeastOnce)));
        }
        "publish-large" => {
            let payload = vec![0; 100_000];
            let (topic, delivery) = (rest.to_owned(), Delivery::AtMostOnce);
            effects.push(Effect::Publish(Message { topic, payload, delivery }));
        }
        "recurse" => drop(black_box(recurse(black_box(1)))),
        "allocate" => drop(black_box(vec![1u8; 64 << 20])),
        "leak" => loop {
            std::mem::forget(black_box(vec![1u8; 1 << 16]));
        },
        "trap" => std::process::abort(),
        "deep-trap" => drop(black_box(deep(black_box(2_000)))),
        "error" => return Err("on\u{1b}[2J purpose\nERROR forged line".to_owned()),
        "error-not-utf8" => {
            // SAFETY: none; the host has to find out.
            return Err(unsafe { String::from_utf8_unchecked(vec![0xc3, 0x28]) });
        }
        "error-claimed" => return Err(claimed_string(1 << 30)),
        "million" => effects.extend((0..200_000).map(|_| Effect::Delete(String::new()))),
        "thousands" => effects.extend((0..30_000).map(|_| Effect::Delete(String::new()))),
        "hundreds" => effects.extend((0..1_000).map(|_| Effect::Delete(String::new()))),
        "one-scan" => {
            black_box(state::scan("", None, 1));
        }
        "claim-effects" => *effects = claimed_effects(100_000_000),
        "claim-text" => effects.push(Effect::Say(claimed_string(1 << 30))),
        "not-utf8" => {
            // SAFETY: none; the host has to find out.
            let key = unsafe { String::from_utf8_unchecked(vec![0xff; 8]) };
            effects.push(Effect::Delete(key));
        }
        "state" => effects.extend((0..250).map(|n| put(&format!("{group}-{n}"), vec![0; 3_000]))),
        "keys" => effects.extend((0..250).map(|n| put(&format!("{group}-{n}"), Vec::new()))),
        "delete-keys" => {
            effects.extend((0..250).map(|n| Effect::Delete(format!("{group}-{n}"))));
        }
        "big" => effects.extend((0..15).map(|n| put(&format!("big-{n}"), vec![0; 60_000]))),
        "forge" => effects.push(Effect::Fave(NewFave {
            person: Person { id: "1".into(), login: "ann".into(), name: "Ann".into() },
            standing: None,
            bits: 0,
            item: String::new(),
            weight: ONE_FAVE,
        })),
        "weigh" => effects.push(Effect::Weigh(ONE_FAVE)),
        "drop" => effects.push(Effect::Drop),
        "show" => {
            effects.push(Effect::Show(Output { name: rest.to_owned(), text: "mine".to_owned() }));
        }
        "many-outputs" => effects.extend((0..100).map(|n| {
            Effect::Show(Output { name: format!("output-{n}"), text: "mine".to_owned() })
        })),
        "say" => effects.push(Effect::Say("hello\r\nPRIVMSG #other :forged".to_owned())),
        "say-much" => effects.extend((0..100).map(|n| Effect::Say(format!("line {n}")))),
        "clip" => {
            let title = if rest.is_empty() { "clip\u{1b}[2J" } else { rest }.to_owned();
            effects.push(Effect::Clip(ClipRequest { title, seconds: 30 }));
        }
        "wake" => {
            let (name, at) = (rest.to_owned(), Some(0));
            effects.push(Effect::Wake(Alarm { name, at }));
        }
        "say-to-log" => (0..50).for_each(|_| log(Level::Warn, &"x".repeat(1000))),
        "remember" => effects.push(put("kept", vec![1])),
        _ => return Err(format!("I know no attack {what}")),
    }
    Ok(())
}

fn publish(topic: &str, delivery: Delivery) -> Effect {
    let payload = b"from hostile".to_vec();
    Effect::Publish(Message { topic: topic.to_owned(), payload, delivery })
}

/// A list that claims more entries than there are.
fn claimed_effects(length: usize) -> Vec<Effect> {
    let mut real = vec![Effect::Put(Entry { key: String::new(), value: Vec::new() })];
    let start = real.as_mut_ptr();
    std::mem::forget(real);
    // SAFETY: none; wit-bindgen will walk off the end of the memory, which traps.
    unsafe { Vec::from_raw_parts(start, length, length) }
}

fn recurse(depth: u64) -> u64 {
    if black_box(depth) == 0 { 0 } else { recurse(black_box(depth + 1)) + black_box(depth) }
}

/// Traps far down the stack.
fn deep(depth: u64) -> u64 {
    if black_box(depth) == 0 {
        std::process::abort()
    }
    deep(black_box(depth - 1)) + black_box(depth)
}
