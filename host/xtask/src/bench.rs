//! Measures what the project promises: every figure beside its floor of the same run.
//!
//! [`Options`] says what; the measuring is done by programs built for release, which print figures as JSON: `engine` (engine and
//! store), `live` (swaps and replays), `series` (counts over time), `daemon` (whole programs), and `lines`, the floor of reading chat. [`page`] looks at the page in a browser. [`table`] prints them, and [`peers`] installs
//! what the programs are held against. [`languages`] is a part by itself: what rules cost that are not in Rust.

mod languages;
mod machine;
mod page;
mod peers;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use heat_tests::figures::Figure;
use serde_json::{Value, json};

use crate::shell::{self, cargo, output, root, say, target};
use crate::{rules, tools};

/// The exit codes besides 0 and 1.
const NOT_MEASURED: u8 = 2;
const MISSED: u8 = 3;

#[derive(Args)]
pub(crate) struct Options {
    /// Few and short rounds: shows that everything works, and no figure to quote.
    #[arg(long)]
    quick: bool,
    /// One part only: engine (events and faves without sockets), swaps, replay, series (counts over time), history (finding what was said), chat, lone (a fave that
    /// comes alone), mqtt, latency, idle, start, account (a login to Twitch), watch (the screen of `heat watch`), page (how soon it shows what
    /// is said, and what a hundred of them cost), or peers; and
    /// languages and moments (which rule finds what stood out), which are not part of a whole run.
    #[arg(value_name = "PART")]
    part: Option<String>,
    /// The same.
    #[arg(long, value_name = "PART", conflicts_with = "part")]
    only: Option<String>,
    /// Also writes everything to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the table into docs/bench.md, that of languages into docs/languages.md.
    #[arg(long)]
    write: bool,
}

impl Options {
    /// The one part that is wanted.
    fn only(&self) -> Option<&str> {
        self.part.as_deref().or(self.only.as_deref())
    }
}

/// What was measured, and what was not.
#[derive(Default)]
struct Measured {
    figures: Vec<Figure>,
    /// What, and why not.
    missing: Vec<(String, String)>,
}

/// Builds, measures, prints. The exit code is 2 when something could not be measured, 3 when a target is missed.
pub(crate) fn run(options: &Options) -> Result<u8> {
    if !cfg!(target_os = "linux") {
        bail!("the bench reads /proc, and so runs on Linux only");
    }
    if options.only.as_deref() == Some("languages") {
        return languages::run(options).map(|()| 0);
    }
    tools::programs()?;
    let folder = rules::build()?;
    if options.only().is_none_or(|only| only == "page") {
        crate::page::build_if_possible()?;
    }
    let built = build()?;
    let scratch = target().join("bench");
    std::fs::create_dir_all(&scratch)?;
    let mut measured = Measured::default();
    let wants = |part: &str| options.only().is_none_or(|only| only == part);
    if wants("engine") {
        let mut engine = Command::new(&built.engine);
        engine.arg("--rules").arg(&folder).arg("--scratch").arg(&scratch);
        measured.run(&mut engine, options)?;
    }
    if wants("swaps") || wants("replay") || options.only() == Some("moments") {
        let mut live = Command::new(&built.live);
        live.arg("--rules").arg(&folder).arg("--guests").arg(target().join("guests"));
        live.arg("--scratch").arg(&scratch);
        measured.run(&mut live, options)?;
    }
    if wants("series") {
        let mut series = Command::new(&built.series);
        series.arg("--scratch").arg(&scratch);
        measured.run(&mut series, options)?;
    }
    if wants("history") {
        let mut history = Command::new(&built.series);
        history.arg("--history").arg("--scratch").arg(&scratch);
        measured.run(&mut history, options)?;
    }
    if wants("page") {
        page::run_part(&mut measured, &folder, options)?;
    }
    if !matches!(
        options.only(),
        Some("engine" | "swaps" | "replay" | "moments" | "series" | "history")
    ) {
        measured.run(&mut daemon(&built, &folder, &scratch, wants("peers")), options)?;
    }
    if measured.figures.is_empty() && measured.missing.is_empty() {
        bail!("there is no such part; `cargo xtask bench --help` names them");
    }
    report(&measured, options)
}

fn daemon(built: &Built, rules: &Path, scratch: &Path, with_peers: bool) -> Command {
    let mut daemon = Command::new(&built.daemon);
    daemon.arg("--rules").arg(rules).arg("--scratch").arg(scratch);
    daemon.arg("--writer").arg(&built.writer).arg("--lines").arg(&built.lines);
    daemon.arg("--engine").arg(&built.engine);
    daemon.arg("--slow-disk").arg(&built.slow_disk).arg("--peers").arg(root().join("tests/peers"));
    if with_peers {
        for (option, installed) in
            [("--node-red", peers::node_red()), ("--python", tools::python())]
        {
            match installed {
                Ok(path) => drop(daemon.arg(option).arg(path)),
                // The bench says that it is missing.
                Err(error) => say(&format!("{error:#}")),
            }
        }
    }
    daemon
}

impl Measured {
    /// Runs a program that prints figures, and shows each as it comes.
    fn run(&mut self, command: &mut Command, options: &Options) -> Result<()> {
        if options.quick {
            command.arg("--quick");
        }
        if let Some(only) = options.only() {
            command.args(["--only", only]);
        }
        let mut child =
            command.stdout(Stdio::piped()).spawn().context("failed to start a bench")?;
        let printed = child.stdout.take().context("a bench without an output")?;
        for line in std::io::BufRead::lines(std::io::BufReader::new(printed)) {
            self.take(&line?)?;
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("a bench ended with {status}; what it measured so far is above");
        }
        Ok(())
    }

    fn take(&mut self, line: &str) -> Result<()> {
        let line: Value =
            serde_json::from_str(line).with_context(|| format!("no figure: {line}"))?;
        if let (Some(what), Some(why)) = (line["not_measured"].as_str(), line["why"].as_str()) {
            say(&format!("!!! NOT MEASURED: {what}, because {why}"));
            self.missing.push((what.to_owned(), why.to_owned()));
        } else {
            let figure = Figure::from_json(&line)?;
            say(&table::line(&figure));
            self.figures.push(figure);
        }
        Ok(())
    }
}

/// What was built for release.
struct Built {
    engine: PathBuf,
    live: PathBuf,
    series: PathBuf,
    daemon: PathBuf,
    lines: PathBuf,
    writer: PathBuf,
    slow_disk: PathBuf,
}

fn build() -> Result<Built> {
    say("building for release; the first time this takes some minutes");
    let benches = ["engine", "live", "series", "daemon", "lines"].map(|name| ["--bench", name]);
    let benches = benches.as_flattened();
    let mut all = cargo(["build", "--release", "--locked", "--workspace", "--bins"]);
    shell::run(all.args(benches))?;
    // Again, for the names of the programs: everything is built now.
    let mut names = cargo(["build", "--release", "--locked", "--workspace", "--bins"]);
    names.args(benches).args(["--quiet", "--message-format", "json"]);
    let names = output(&mut names).context("failed to ask cargo for the names of the benches")?;
    shell::run(&mut cargo([
        "build",
        "--locked",
        "--profile",
        "writer",
        "--package",
        "heat-writer",
    ]))?;
    shell::run(&mut cargo(["build", "--release", "--locked", "--package", "slow-disk"]))?;
    let bench = |name| program(&names, name);
    Ok(Built {
        engine: bench("engine")?,
        live: bench("live")?,
        series: bench("series")?,
        daemon: bench("daemon")?,
        lines: bench("lines")?,
        writer: target().join("writer/heat-writer"),
        slow_disk: target().join("release/libslow_disk.so"),
    })
}

/// The program of a bench, by the messages of cargo.
pub(crate) fn program(messages: &str, name: &str) -> Result<PathBuf> {
    let mut messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = messages.find(|message| {
        message["target"]["name"] == name && message["target"]["kind"] == json!(["bench"])
    });
    let executable = found.and_then(|message| message["executable"].as_str().map(PathBuf::from));
    executable.with_context(|| format!("cargo does not name the bench {name}"))
}

fn report(measured: &Measured, options: &Options) -> Result<u8> {
    let machine = machine::describe();
    let markdown = table::markdown(measured, &machine, options.quick);
    print(&markdown);
    if let Some(file) = &options.json {
        let figures: Vec<Value> = measured.figures.iter().map(Figure::to_json).collect();
        let all = json!({ "machine": machine, "quick": options.quick, "figures": figures, "not_measured": measured.missing });
        std::fs::write(file, serde_json::to_string_pretty(&all)?)
            .with_context(|| format!("failed to write {}", file.display()))?;
    }
    if options.write {
        if options.only().is_some() || options.quick {
            bail!("--write is for whole runs: leave out --only and --quick");
        }
        table::write(&root().join("docs/bench.md"), &markdown)?;
    }
    let is_missed = |figure: &&Figure| figure.target.as_ref().is_some_and(|(_, met)| !met);
    let missed = measured.figures.iter().filter(is_missed).count();
    if !measured.missing.is_empty() {
        return Ok(NOT_MEASURED);
    }
    Ok(if missed > 0 { MISSED } else { 0 })
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
fn print(text: &str) {
    println!("{text}");
}
