//! Lets libFuzzer lead the fuzz targets: builds the test programs that have them with counters in the code, and runs target after target.
//!
//! Stable Rust will do: the counters are an option of LLVM. Only the project's own crates get them, since this program stands between
//! cargo and rustc for these (`compile`); what they depend on is what the ordinary tests link.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::rules;
use crate::shell::{cargo, output, root, say};

/// Tells this program that cargo calls it in place of rustc.
const IN_PLACE_OF_RUSTC: &str = "HEAT_FUZZ_RUSTC";

/// The crates whose code is counted, by the names that rustc has for them.
const COUNTED: [&str; 4] = ["heat_engine", "heatd", "heat_writer", "heat"];

const COUNTERS: [&str; 4] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Copt-level=1",
];

#[derive(Args)]
pub(crate) struct Options {
    /// How long each target runs.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Only targets with this in their names.
    #[arg(long, value_name = "TARGET")]
    only: Option<String>,
}

/// One target: the test that it is, and the program that has it.
struct Target {
    test: String,
    program: PathBuf,
}

/// What came of a target.
struct Outcome {
    name: String,
    inputs: u64,
    seconds: f64,
    /// Inputs that reached something new, and what is reached in all.
    new: u64,
    reached: u64,
    findings: BTreeSet<PathBuf>,
}

/// Builds, runs, prints. The exit code is 1 when something was found.
pub(crate) fn run(options: &Options) -> Result<u8> {
    rules::build()?;
    let started = Instant::now();
    let programs = build()?;
    say(&format!("built in {} s", started.elapsed().as_secs()));
    let mut outcomes = Vec::new();
    for target in targets(&programs)? {
        outcomes.extend(lead(&target, options)?);
    }
    if outcomes.is_empty() {
        bail!("no target is named so; leave out --only to run all");
    }
    print(&table(&outcomes));
    let mut found = false;
    for finding in outcomes.iter().flat_map(|outcome| &outcome.findings) {
        found = true;
        say(&format!("found: {}", finding.display()));
    }
    if found {
        say(
            "every test run tries these files from now on, and makes them smaller: `cargo test --workspace fuzz`",
        );
        say(
            "give them names that say what they are; what comes of recordings is written again by hand",
        );
    }
    Ok(u8::from(found))
}

/// Whether cargo has called this program in place of rustc; then it does rustc's work, with counters where they are wanted.
pub(crate) fn compile() -> Option<ExitCode> {
    std::env::var_os(IN_PLACE_OF_RUSTC)?;
    let mut arguments = std::env::args_os().skip(1);
    let mut rustc = Command::new(arguments.next()?);
    let arguments: Vec<_> = arguments.collect();
    let name = arguments.iter().skip_while(|it| *it != "--crate-name").nth(1);
    let name = name.and_then(|it| it.to_str()).unwrap_or_default();
    // A program that is no test would lack what the counters call.
    let is_test = arguments.iter().any(|it| it == "--test");
    rustc.args(&arguments);
    if COUNTED.contains(&name) && (is_test || name == "heat_engine") {
        rustc.args(COUNTERS);
    }
    let code = rustc.status().ok().and_then(|status| status.code()).unwrap_or(1);
    Some(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// The test programs, with counters. Everything at once, so that dependencies are those of the ordinary tests.
fn build() -> Result<Vec<PathBuf>> {
    let build = |quiet: bool| {
        let mut command = cargo([
            "test",
            "--locked",
            "--workspace",
            "--lib",
            "--bins",
            "--test",
            "engine",
            "--no-run",
        ]);
        command.args(["--features", "heat-tests/fuzzing"]);
        if quiet {
            command.args(["--quiet", "--message-format", "json"]);
        }
        command.env(IN_PLACE_OF_RUSTC, "1");
        std::env::current_exe().map(|this| {
            command.env("RUSTC_WORKSPACE_WRAPPER", this);
            command
        })
    };
    crate::shell::run(&mut build(false)?).context(
        "failed to build; libFuzzer itself needs a C++ compiler: on Debian, apt install g++",
    )?;
    let messages = output(&mut build(true)?).context("failed to ask cargo for the programs")?;
    let program = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let name = message["target"]["name"].as_str()?.replace('-', "_");
        let wanted = message["profile"]["test"] == true
            && (COUNTED.contains(&name.as_str()) || name == "engine");
        wanted.then(|| message["executable"].as_str().map(PathBuf::from))?
    };
    Ok(messages.lines().filter_map(program).collect())
}

/// The tests in modules that are named `fuzz`.
fn targets(programs: &[PathBuf]) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for program in programs {
        let list = output(Command::new(program).args(["--list", "--format", "terse"]));
        let list = list.with_context(|| format!("{} lists no tests", program.display()))?;
        let tests = list.lines().filter_map(|line| line.strip_suffix(": test"));
        let tests = tests.filter(|test| test.split("::").any(|part| part == "fuzz"));
        targets
            .extend(tests.map(|test| Target { test: test.to_owned(), program: program.clone() }));
    }
    Ok(targets)
}

/// Runs one target. None: it is not meant.
fn lead(target: &Target, options: &Options) -> Result<Option<Outcome>> {
    let folder = crate::shell::target().join("fuzz");
    std::fs::create_dir_all(&folder)?;
    let (before, seconds) = (findings()?, options.seconds);
    let mut command = Command::new(&target.program);
    command.args(["--exact", &target.test, "--nocapture", "--test-threads", "1"]);
    command.env("HEAT_FUZZ_SECONDS", seconds.to_string()).env("HEAT_FUZZ_FOLDER", &folder);
    command.env("HEAT_FUZZ_ONLY", options.only.as_deref().unwrap_or_default());
    command.env("RUST_BACKTRACE", "0").current_dir(root().join("tests"));
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let printed = child.stderr.take().context("a program without an output")?;
    let mut outcome = Outcome {
        name: String::new(),
        inputs: 0,
        seconds: f64::from(seconds),
        new: 0,
        reached: 0,
        findings: BTreeSet::new(),
    };
    let mut lines = Vec::new();
    for line in BufReader::new(printed).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        outcome.note(&line);
        lines.push(line);
    }
    let status = child.wait()?;
    if outcome.name.is_empty() && status.success() {
        return Ok(None);
    }
    let log = folder.join(format!("{}.log", outcome.name));
    std::fs::write(&log, lines.join("\n"))?;
    outcome.findings = findings()?.difference(&before).cloned().collect();
    if !status.success() && outcome.findings.is_empty() {
        bail!("{} ended with {status}, and nothing was kept; see {}", target.test, log.display());
    }
    Ok(Some(outcome))
}

impl Outcome {
    /// Reads a line of libFuzzer.
    fn note(&mut self, line: &str) {
        if let Some((name, number)) =
            line.strip_prefix("stat::").and_then(|rest| rest.split_once(':'))
        {
            let number = number.trim().parse().unwrap_or(0);
            match name {
                "number_of_executed_units" => self.inputs = number,
                "new_units_added" => self.new = number,
                _ => {}
            }
            return;
        }
        if let Some(name) = line.strip_prefix("target: ") {
            say(&format!("{name} for {} s", self.seconds));
            name.clone_into(&mut self.name);
        }
        if line.contains("panicked at") {
            say(&format!("  {line}"));
        }
        let mut words = line.split_whitespace();
        if words.by_ref().any(|word| word == "ft:")
            && let Some(reached) = words.next().and_then(|word| word.parse().ok())
        {
            self.reached = reached;
        }
    }
}

/// Every file of a finding that there is.
fn findings() -> Result<BTreeSet<PathBuf>> {
    let folder = root().join("tests").join("findings");
    let mut found = BTreeSet::new();
    for target in folder.read_dir().with_context(|| folder.display().to_string())? {
        let target = target?.path();
        if target.is_dir() {
            for file in target.read_dir()? {
                found.insert(file?.path());
            }
        }
    }
    Ok(found)
}

/// The outcomes as Markdown.
fn table(outcomes: &[Outcome]) -> String {
    let mut table = String::from(
        "| target | inputs | in a second | new paths | paths in all | found |\n|---|---|---|---|---|---|\n",
    );
    for it in outcomes {
        table += &format!(
            "| {} | {} | {:.0} | {} | {} | {} |\n",
            it.name,
            it.inputs,
            it.inputs as f64 / it.seconds,
            it.new,
            it.reached,
            it.findings.len()
        );
    }
    table
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
fn print(text: &str) {
    println!("{text}");
}
