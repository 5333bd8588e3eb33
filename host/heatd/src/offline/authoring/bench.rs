//! `heatd rule bench`: plays the cases over and over, and says what a call of the rule costs, beside its limits.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use heat_engine::cases::{Rehearsal, rehearse};
use heat_engine::{Doing, Limits, Meter};
use serde_json::json;

use super::cast::{Loaded, RuleFile, sandbox};
use super::words::{counted, harmless, headline};

/// Times each case is played in one go: long enough that state grows as it does in a stream.
const ROUNDS: u32 = 20;

/// Enough calls for a percentile, and enough time where calls are slow.
const CALLS: usize = 20_000;
const ENOUGH: Duration = Duration::from_secs(3);

#[derive(Args)]
pub(crate) struct BenchOptions {
    #[command(flatten)]
    source: RuleFile,
    /// Answers with JSON
    #[arg(long)]
    json: bool,
}

/// The figures over all calls.
struct CallFigures {
    calls: usize,
    faults: usize,
    /// Of a call, in microseconds.
    median: f64,
    p99: f64,
    /// To make an instance, in microseconds.
    instance: f64,
    fuel: u64,
    memory: usize,
    effects: usize,
    mean_effects: f64,
}

pub(super) fn run(options: &BenchOptions) -> Result<(String, bool)> {
    // It says what compiling takes, so it compiles.
    let sandbox = sandbox(false)?.with_meter(Meter::new(since_start));
    let loaded = options.source.load(sandbox, Limits::default())?;
    let figures = figures(&measure(&loaded)?)?;
    let answer = if options.json {
        format!("{:#}\n", as_json(&figures, &loaded))
    } else {
        harmless(&(headline(&loaded.cast.rule, loaded.bytes) + &as_table(&figures, &loaded)))
    };
    Ok((answer, true))
}

fn since_start() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Plays all cases in turn until there are enough calls to measure. Cases with refused settings are skipped.
fn measure(loaded: &Loaded) -> Result<Rehearsal> {
    let mut all = Rehearsal::default();
    let started = Instant::now();
    loop {
        let before = all.measured.len();
        for case in &loaded.cases {
            if let Some(rehearsal) = rehearse(&loaded.cast, case, ROUNDS)? {
                all.measured.extend(rehearsal.measured);
                all.effects.extend(rehearsal.effects);
                all.faults += rehearsal.faults;
            }
            if started.elapsed() > ENOUGH && !all.measured.is_empty() {
                return Ok(all);
            }
        }
        ensure!(
            all.measured.len() > before,
            "in none of its cases the rule is called; write one in which something happens that it takes"
        );
        if all.measured.len() > CALLS {
            return Ok(all);
        }
    }
}

fn figures(rehearsal: &Rehearsal) -> Result<CallFigures> {
    let (mut calls, mut instances) = (Vec::new(), Vec::new());
    let (mut most_fuel, mut most_memory) = (0, 0);
    for measured in &rehearsal.measured {
        let took = measured.took.as_secs_f64() * 1e6;
        match measured.what {
            Doing::Start => instances.push(took),
            Doing::Call { fuel, memory } => {
                calls.push(took);
                most_fuel = most_fuel.max(fuel);
                most_memory = most_memory.max(memory);
            }
        }
    }
    ensure!(!calls.is_empty(), "the rule has no instance; `heatd rule test` says why");
    calls.sort_by(f64::total_cmp);
    instances.sort_by(f64::total_cmp);
    let effects: usize = rehearsal.effects.iter().sum();
    Ok(CallFigures {
        calls: calls.len(),
        faults: rehearsal.faults,
        median: part(&calls, 50),
        p99: part(&calls, 99),
        instance: part(&instances, 50),
        fuel: most_fuel,
        memory: most_memory,
        effects: rehearsal.effects.iter().copied().max().unwrap_or(0),
        mean_effects: effects as f64 / rehearsal.effects.len().max(1) as f64,
    })
}

/// A percentile of what is sorted.
fn part(sorted: &[f64], percent: usize) -> f64 {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}

fn as_json(figures: &CallFigures, loaded: &Loaded) -> serde_json::Value {
    let (limits, about) = (&loaded.cast.limits, &loaded.cast.rule.description);
    json!({
        "rule": about.name,
        "version": about.version,
        "digest": loaded.cast.rule.digest.to_string(),
        "bytes": loaded.bytes,
        "cases": loaded.cases.len(),
        "calls": figures.calls,
        "faults": figures.faults,
        "call_us": { "median": figures.median, "p99": figures.p99 },
        "fuel": { "max": figures.fuel, "limit": limits.fuel },
        "memory": { "max": figures.memory, "limit": limits.memory },
        "effects": { "mean": figures.mean_effects, "max": figures.effects, "limit": limits.effects },
        "instance_us": { "median": figures.instance },
        "compile_ms": loaded.took.as_secs_f64() * 1e3,
    })
}

fn as_table(figures: &CallFigures, loaded: &Loaded) -> String {
    let limits = &loaded.cast.limits;
    let row = |what: &str, most: u64, limit: u64| {
        let share = most as f64 / limit as f64 * 100.0;
        format!("  {what:<28}{:>14}{:>14}{share:>9.2} %\n", counted(most), counted(limit))
    };
    let mut text = format!("  {:<28}{:>14}{:>14}{:>11}\n", "", "most", "limit", "used");
    text += &row("fuel of a call", figures.fuel, limits.fuel);
    text += &row("memory of an instance, bytes", figures.memory as u64, limits.memory as u64);
    text += &row("effects of a call", figures.effects as u64, limits.effects as u64);
    text += &format!("\n  {:<28}{:>14}{:>14}\n", "", "median", "p99");
    text += &format!("  {:<28}{:>11.1} µs{:>11.1} µs\n", "a call", figures.median, figures.p99);
    text += &format!("  {:<28}{:>11.1} µs\n", "to make an instance", figures.instance);
    text += &format!("  {:<28}{:>11.1} ms\n", "to compile it", loaded.took.as_secs_f64() * 1e3);
    text += &format!(
        "\n{} calls of the rule, {:.1} effects each; {} failed\n",
        counted(figures.calls as u64),
        figures.mean_effects,
        counted(figures.faults as u64)
    );
    text
}
