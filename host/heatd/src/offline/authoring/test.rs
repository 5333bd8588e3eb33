//! `heatd rule test`: plays every case twice, and reports what differs from the case file.

use anyhow::{Context, Result};
use clap::Args;
use heat_engine::Limits;
use heat_engine::cases::{Case, Outcome, difference, failures, judge};
use serde_json::json;

use super::cast::{RuleFile, sandbox};
use super::words::{harmless, headline};

/// A long wall-time limit, so that a busy machine fails no case. Fuel ends endless loops.
const PATIENCE_MS: u64 = 10_000;

/// What is reported if a rule keeps state in a variable.
const KEEPS_STATE: &str = "keeps state in a variable: it does otherwise when its instance is new. An instance lives for at most 64 events, and then a\n    \
     variable is as at the beginning; keep what has to last with `put`, and read it from the state.\n    \
     - with a new instance for each event, + with one for all of them\n";

#[derive(Args)]
pub(crate) struct TestOptions {
    #[command(flatten)]
    source: RuleFile,
    /// Rewrites case files with what was played. Read what it wrote: that is the test from then on
    #[arg(long, requires = "cases")]
    bless: bool,
    /// Answers with JSON
    #[arg(long)]
    json: bool,
}

/// The result of one case.
struct Verdict {
    name: String,
    outcome: &'static str,
    /// Which lines differ, or why it cannot be played.
    details: String,
}

impl Verdict {
    fn passed(&self) -> bool {
        matches!(self.outcome, "ok" | "blessed")
    }
}

pub(super) fn run(options: &TestOptions) -> Result<(String, bool)> {
    let limits = Limits { wall_ms: PATIENCE_MS, ..Limits::default() };
    let loaded = options.source.load(sandbox(true)?, limits)?;
    let rule = &loaded.cast.rule;
    let (mut verdicts, mut failing) = (Vec::new(), 0);
    for case in &loaded.cases {
        let (outcome, details) = match judge(&loaded.cast, case) {
            Ok(Outcome::AsWritten) => ("ok", String::new()),
            Ok(Outcome::Different(played)) if options.bless => {
                bless(options, case, &played)?;
                failing += failures(&played);
                ("blessed", difference(&case.text, &played))
            }
            Ok(Outcome::Different(played)) => ("different", difference(&case.text, &played)),
            Ok(Outcome::KeepsState(lines)) => ("keeps-state", lines),
            Err(error) => ("unplayable", format!("{error}\n")),
        };
        verdicts.push(Verdict { name: case.name.clone(), outcome, details });
    }
    let passed = verdicts.iter().all(Verdict::passed);
    let answer = if options.json {
        let about = &rule.description;
        let cases: Vec<_> = verdicts
            .iter()
            .map(|it| json!({ "name": it.name, "outcome": it.outcome, "details": it.details }))
            .collect();
        let answer = json!({
            "rule": about.name, "version": about.version, "digest": rule.digest.to_string(),
            "passed": passed, "cases": cases,
        });
        format!("{answer:#}\n")
    } else {
        harmless(&(headline(rule, loaded.bytes) + &for_people(&verdicts) + &warning(failing)))
    };
    Ok((answer, passed))
}

/// What was blessed may be wrong: a call that fails is seldom what an author wants.
fn warning(failing: usize) -> String {
    match failing {
        0 => String::new(),
        1 => "1 call fails in what was written: read the line that begins with \"fails:\"\n"
            .to_owned(),
        _ => format!(
            "{failing} calls fail in what was written: read the lines that begin with \"fails:\"\n"
        ),
    }
}

fn bless(options: &TestOptions, case: &Case, played: &str) -> Result<()> {
    let folder = options.source.cases.as_deref().context("--bless needs --cases")?;
    let file = folder.join(&case.name);
    std::fs::write(&file, played).with_context(|| format!("failed to write {}", file.display()))
}

fn for_people(verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    for Verdict { name, outcome, details } in verdicts {
        let details = details.lines().map(|line| format!("    {line}\n")).collect::<String>();
        text.push_str(&match *outcome {
            "ok" => format!("  ok       {name}\n"),
            "blessed" => format!("  blessed  {name}\n{details}"),
            "keeps-state" => format!("  FAILED   {name}: the rule {KEEPS_STATE}{details}"),
            "unplayable" => format!("  FAILED   {name} cannot be played\n{details}"),
            _ => format!("  FAILED   {name} (- is written, + was played)\n{details}"),
        });
    }
    if verdicts.iter().any(|it| !it.passed() && it.details.contains("fails: it trapped")) {
        text.push_str("  a call trapped: --log shows what the rule said before\n");
    }
    let failed = verdicts.iter().filter(|verdict| !verdict.passed()).count();
    let all = verdicts.len();
    let cases = if all == 1 { "case" } else { "cases" };
    if failed == 0 {
        return text + &format!("{all} {cases}, played in groups of 1 and of 64: as written\n");
    }
    let hint = match verdicts.iter().any(|verdict| verdict.outcome == "different") {
        true => ". Where the rule is right, --bless writes what was played",
        false => "",
    };
    text + &format!("{failed} of {all} {cases} failed{hint}\n")
}
