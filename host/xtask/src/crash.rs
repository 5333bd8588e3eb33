//! Kills heatd again and again under a stream of MQTT messages, and tells what was lost, what was doubled, and how soon it served again.
//!
//! The killing is done by a program built for release, `crash` among the benches of the tests, which prints a row as JSON for the
//! messages with ids and one for those without.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::shell::{self, cargo, output, say};
use crate::{bench, rules, tools};

/// The exit code when a message was lost, or too many were doubled.
const MISSED: u8 = 3;

#[derive(Args)]
pub(crate) struct Options {
    /// How often heatd is killed, for each of the two kinds of messages.
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// Other moments, and the same ones each time as far as the machine allows.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints the rows as JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Builds, kills, prints. The exit code is 3 when the promise was not kept.
pub(crate) fn run(options: &Options) -> Result<u8> {
    tools::programs()?;
    rules::build()?;
    say("building for release; the first time this takes some minutes");
    let build = ["build", "--release", "--locked", "--workspace", "--bins", "--bench", "crash"];
    shell::run(&mut cargo(build))?;
    let mut names = cargo(build);
    names.args(["--quiet", "--message-format", "json"]);
    let names = output(&mut names).context("failed to ask cargo for the name of the bench")?;
    let mut command = Command::new(bench::program(&names, "crash")?);
    command.args(["--kills", &options.kills.to_string(), "--seed", &options.seed.to_string()]);
    let rows = rows(&mut command)?;
    match options.json {
        true => print(&serde_json::to_string_pretty(&rows)?),
        false => print(&table(&rows)),
    }
    let kept = rows.iter().all(|row| row["kept"] == json!(true));
    Ok(if kept { 0 } else { MISSED })
}

fn rows(command: &mut Command) -> Result<Vec<Value>> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("failed to start the bench")?;
    let printed = child.stdout.take().context("a bench without an output")?;
    let rows = BufReader::new(printed).lines().map(|line| {
        let line = line?;
        serde_json::from_str(&line).with_context(|| format!("no row: {line}"))
    });
    let rows = rows.collect::<Result<Vec<Value>>>()?;
    let status = child.wait()?;
    if !status.success() {
        bail!("the bench ended with {status}");
    }
    Ok(rows)
}

/// The rows as Markdown.
fn table(rows: &[Value]) -> String {
    let mut table = String::from(
        "| messages | kills: while starting, before a commit, after a commit | sent | counted | lost | doubled (at most) | \
         from kill to serving again in ms: p50, p99, max |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let kind = if row["ids"] == json!(true) { "with ids" } else { "without ids" };
        let mark = if row["kept"] == json!(true) { "" } else { " (!)" };
        let recovery = &row["recovery_ms"];
        table += &format!(
            "| {kind} | {}: {}, {}, {} | {} | {} | {} | {} ({}){mark} | {}, {}, {} |\n",
            row["kills"],
            row["while_starting"],
            row["before_a_commit"],
            row["after_a_commit"],
            row["sent"],
            row["counted"],
            row["lost"],
            row["doubled"],
            row["doubled_at_most"],
            recovery["p50"],
            recovery["p99"],
            recovery["max"],
        );
    }
    table
}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
fn print(text: &str) {
    println!("{text}");
}
