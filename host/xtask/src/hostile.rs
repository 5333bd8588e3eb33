//! Lets a hostile rule attack the engine, and tells what stopped it and what the other rules felt.
//!
//! The attacking is done by a program built for release, `hostile` among the engine's benches, which prints a row as JSON for each attack.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::shell::{self, cargo, output, say, target};
use crate::{bench, rules};

/// How long an event may wait for a hostile rule, and what a trap may cost, in milliseconds.
const LONGEST_DELAY: f64 = 10.0;
const DEAREST_TRAP: f64 = 0.2;

/// How long a call may take that spends its fuel on one kind of instruction, and the refusal of a file, in milliseconds.
const LONGEST_CALL: f64 = 15.0;
const LONGEST_REFUSAL: f64 = 1000.0;

/// The exit code when something was not stopped, or took too long.
const MISSED: u8 = 3;

#[derive(Args)]
pub(crate) struct Options {
    /// Few rounds: shows that everything works.
    #[arg(long)]
    quick: bool,
    /// Only attacks with this in their names.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Prints the rows as JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Builds, attacks, prints. The exit code is 3 when an attack was not stopped, did harm, or took too long.
pub(crate) fn run(options: &Options) -> Result<u8> {
    let folder = rules::build()?;
    say("building for release; the first time this takes some minutes");
    let build = ["build", "--release", "--locked", "--workspace", "--bench", "hostile"];
    shell::run(&mut cargo(build))?;
    let mut names = cargo(build);
    names.args(["--quiet", "--message-format", "json"]);
    let names = output(&mut names).context("failed to ask cargo for the name of the bench")?;
    let rows = attack(&bench::program(&names, "hostile")?, &folder, options)?;
    if options.json {
        print(&serde_json::to_string_pretty(&rows)?);
    } else {
        print(&table(&rows));
    }
    let missed = rows.iter().filter(|row| !is_fine(row)).count();
    Ok(if missed > 0 { MISSED } else { 0 })
}

fn attack(program: &Path, rules: &Path, options: &Options) -> Result<Vec<Value>> {
    let scratch: PathBuf = target().join("bench");
    std::fs::create_dir_all(&scratch)?;
    let mut command = Command::new(program);
    command.arg("--rules").arg(rules).arg("--guests").arg(target().join("guests"));
    command.arg("--scratch").arg(scratch);
    if options.quick {
        command.arg("--quick");
    }
    if let Some(only) = &options.only {
        command.args(["--only", only]);
    }
    let mut child = command.stdout(Stdio::piped()).spawn().context("failed to start the bench")?;
    let printed = child.stdout.take().context("a bench without an output")?;
    let rows = BufReader::new(printed).lines().map(|line| {
        let line = line?;
        let row: Value = serde_json::from_str(&line).with_context(|| format!("no row: {line}"))?;
        let name = ["attack", "trap", "file", "instruction"].iter().find_map(|it| row[it].as_str());
        say(&format!("  {}", name.unwrap_or_default()));
        Ok(row)
    });
    let rows = rows.collect::<Result<Vec<_>>>()?;
    let status = child.wait()?;
    if !status.success() {
        bail!("the bench ended with {status}");
    }
    Ok(rows)
}

/// Every round does the same work up to the same instruction: the least time is the attack's, and what is more is the machine's.
fn is_fine(row: &Value) -> bool {
    let within = |key: &str, most: f64| row[key].as_f64().is_some_and(|found| found <= most);
    if row["file"].is_string() {
        return row["refused"] == json!(true) && within("ms", LONGEST_REFUSAL);
    }
    if row["instruction"].is_string() {
        return within("least_ms", LONGEST_CALL);
    }
    match row["cost_ms"].as_f64() {
        Some(cost) => cost <= DEAREST_TRAP,
        None => {
            row["stopped"] == json!(true)
                && row["unharmed"] == json!(true)
                && within("least_ms", LONGEST_DELAY)
        }
    }
}

/// The rows as Markdown.
fn table(rows: &[Value]) -> String {
    let mut table = before_it_runs(rows);
    table += "| attack | stopped by | named in the log as | delay of another rule's event in ms: least, median, max | the rest unharmed |\n|---|---|---|---|---|\n";
    for row in rows.iter().filter(|row| row["attack"].is_string()) {
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        let unharmed = if row["unharmed"] == json!(true) { "yes" } else { "**no**" };
        let mark = if is_fine(row) { "" } else { " (!)" };
        table += &format!(
            "| {} | {} | {} | {:.2}, {:.2}, {:.2}{mark} | {unharmed} |\n",
            text("attack"),
            text("by"),
            text("how").replace('|', "\\|"),
            number("least_ms"),
            number("median_ms"),
            number("max_ms"),
        );
    }
    for row in rows.iter().filter(|row| row["trap"].is_string()) {
        let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        table += &format!(
            "\n{}, and the new instance after it, cost {:.3} ms more than a good call of {:.3} ms (limit: {DEAREST_TRAP} ms).\n",
            row["trap"].as_str().unwrap_or_default(),
            number("cost_ms"),
            number("good_ms"),
        );
    }
    table
}

/// What files do before they run, and what single instructions cost.
fn before_it_runs(rows: &[Value]) -> String {
    let mark = |row: &Value| if is_fine(row) { "" } else { " (!)" };
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().replace('|', "\\|");
    let number = |row: &Value, key: &str| row[key].as_f64().unwrap_or(f64::NAN);
    let mut table = String::from("| file | bytes | refused, since | ms |\n|---|---|---|---|\n");
    for row in rows.iter().filter(|row| row["file"].is_string()) {
        let (file, bytes, how) = (text(row, "file"), &row["bytes"], text(row, "how"));
        table += &format!("| {file} | {bytes} | {how} | {:.1}{} |\n", number(row, "ms"), mark(row));
    }
    table += "\n| instruction | ms of a call with nothing else in it |\n|---|---|\n";
    for row in rows.iter().filter(|row| row["instruction"].is_string()) {
        let took = number(row, "least_ms");
        table += &format!("| {} | {took:.2}{} |\n", text(row, "instruction"), mark(row));
    }
    table + "\n"
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
fn print(text: &str) {
    println!("{text}");
}
