//! The house: what each crate may link, what each file may import and must say, and that the documents speak of what is there.

#[path = "layers/imports.rs"]
mod imports;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use imports::Crate;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of all crates that a package links, in any build of it.
fn linked(package: &str) -> Result<BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "tree",
        "--locked",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--package",
        package,
    ];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout)?;
    Ok(lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

fn links_none_of(package: &str, unwanted: &[&str]) -> Result<()> {
    let linked = linked(package)?;
    ensure!(linked.len() > 1, "{package} links nothing: is it the right name?");
    for name in unwanted {
        ensure!(!linked.contains(*name), "{package} links {name}, which ARCHITECTURE.md forbids");
    }
    Ok(())
}

#[test]
fn the_engine_has_no_async_and_no_network() -> Result<()> {
    links_none_of(
        "heat-engine",
        &["tokio", "rumqttc-v5-next", "twitch-irc", "axum", "mio", "rustls", "wasmtime-wasi"],
    )
}

/// The one crate that every program links: what it links, heat-writer has to carry.
#[test]
fn dialling_links_tokio_at_most() -> Result<()> {
    let manifest: toml::Table =
        toml::from_str(&std::fs::read_to_string(root().join("host/dial/Cargo.toml"))?)?;
    let dependencies = manifest["dependencies"].as_table().context("it has no dependencies")?;
    let names: Vec<&String> = dependencies.keys().collect();
    ensure!(names == ["tokio"], "heat-dial depends on {names:?}");
    Ok(())
}

#[test]
fn the_writer_links_of_ours_dial_alone_and_no_heavy_crate() -> Result<()> {
    links_none_of(
        "heat-writer",
        &["heat-engine", "heat-rule", "heatd", "wasmtime", "redb", "axum", "tracing-subscriber"],
    )
}

#[test]
fn the_command_line_links_of_ours_dial_alone_and_no_heavy_crate() -> Result<()> {
    links_none_of(
        "heat-cli",
        &["heat-engine", "heat-rule", "heatd", "wasmtime", "redb", "axum", "aws-lc-rs"],
    )
}

#[test]
fn rules_link_the_contract_and_nothing_else() -> Result<()> {
    let mut rules = Vec::new();
    for entry in std::fs::read_dir(root().join("rules"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            rules.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    rules.retain(|rule| rule != "sdk");
    ensure!(rules.len() > 5, "there are no rules");
    for rule in &rules {
        links_none_of(rule, &["heat-engine", "wasmtime", "redb", "tokio", "rustls"])?;
    }
    Ok(())
}

#[test]
fn the_harness_knows_neither_engine_nor_daemon() -> Result<()> {
    links_none_of(
        "heat-tests",
        &["heat-engine", "wasmtime", "twitch-irc", "rumqttc-v5-next", "tokio"],
    )
}

/// Every Rust file below these folders, with its text.
fn sources(folders: &[&str]) -> Result<Vec<(PathBuf, String)>> {
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
                waiting.push(path);
            } else if path.extension() == Some("rs".as_ref()) {
                let text = std::fs::read_to_string(&path)?;
                files.push((path, text));
            }
        }
    }
    ensure!(!files.is_empty());
    Ok(files)
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() -> Result<()> {
    let mut wrong = Vec::new();
    for (path, text) in sources(&["host", "rules", "tests"])? {
        if !text.starts_with("//!") {
            wrong.push(format!("{} does not open with //!", path.display()));
        }
        if text.lines().count() > 500 {
            wrong.push(format!("{} has more than 500 lines", path.display()));
        }
        if path.file_name() == Some("mod.rs".as_ref()) {
            wrong.push(format!("{} is named for nothing", path.display()));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn chat_and_broker_never_see_each_other() -> Result<()> {
    let inside = |part: &str| -> Result<Vec<(PathBuf, String)>> {
        let files = sources(&["host/heatd/src"])?.into_iter();
        let belongs = |path: &Path| {
            path.iter().any(|name| name == part) || path.ends_with(format!("{part}.rs"))
        };
        Ok(files.filter(|(path, _)| belongs(path)).collect())
    };
    for (part, other) in [("chat", "broker"), ("broker", "chat")] {
        let files = inside(part)?;
        ensure!(files.len() > 2, "{part} is not where it was");
        for (path, text) in files {
            ensure!(!text.contains(&format!("crate::{other}")), "{} uses {other}", path.display());
        }
    }
    Ok(())
}

/// The folders of the engine, the lowest first: each may import what stands in a row below its own.
const ENGINE: &[&[&str]] = &[
    &["error"],
    &["contract"],
    &["store"],
    &["overlay"],
    &["series", "guest"],
    &["chain"],
    &["engine"],
    &["run", "cases"],
];

/// The folders of heatd, likewise.
const HEATD: &[&[&str]] = &[
    &[
        "metrics",
        "backoff",
        "shutdown",
        "secret",
        "tls",
        "terminal",
        "rule_file",
        "compiler",
        "line",
    ],
    &["config", "clock"],
    &["queue", "view", "data", "web"],
    &["broker", "emotes", "account"],
    &["helix", "facts"],
    &["chat", "embedded", "eventsub", "live_status", "names", "voice"],
    &["control"],
    &["decider", "backup"],
    &["http", "offline"],
    &["daemon"],
];

fn files_of(folder: &str) -> Result<Crate> {
    let mut files = sources(&[folder])?;
    // What `heat rules new` writes for others is no code of the crate.
    files.retain(|(file, _)| !file.iter().any(|part| part == "templates"));
    Crate::read(&files, &root().join(folder))
}

/// Imports go down, and no files import one another. `beside`: folders of which nothing is asked.
fn stands_in_layers(folder: &str, table: &[&[&str]], beside: &[&str]) -> Result<()> {
    let files = files_of(folder)?;
    let upward = files.upward(table, beside);
    ensure!(upward.is_empty(), "{folder}, upward or sideways:\n{}", upward.join("\n"));
    let circles = files.circles(beside);
    ensure!(circles.is_empty(), "{folder}, in circles: {circles:#?}");
    Ok(())
}

#[test]
fn the_engine_stands_in_layers() -> Result<()> {
    stands_in_layers("host/engine/src", ENGINE, &["fuzz"])
}

#[test]
fn the_engine_runs_wasm_and_opens_tables_in_few_places() -> Result<()> {
    let files = files_of("host/engine/src")?;
    // The root of the crate passes on what benches and tests need.
    let wasm = files.outside("wasmtime::", &["", "contract", "guest"]);
    ensure!(wasm.is_empty(), "wasmtime is for the contract and guest/: {wasm:?}");
    let tables = files.outside("redb::", &["", "error", "store", "overlay", "series"]);
    ensure!(tables.is_empty(), "redb is for error, store/, overlay/ and series/: {tables:?}");
    Ok(())
}

const COMMAND_LINE: &[&[&str]] = &[
    &["terminal", "backoff", "values", "when", "find", "heatd"],
    &["api", "rule_file"],
    &["target", "outcome"],
    &["candidate"],
    &["commands"],
];

#[test]
fn the_command_line_stands_in_layers_and_its_commands_do_not_know_each_other() -> Result<()> {
    stands_in_layers("host/cli/src", COMMAND_LINE, &[])?;
    let folder = "host/cli/src/commands";
    let names = std::fs::read_to_string(root().join("host/cli/src/commands.rs"))?;
    let commands: Vec<&str> = names
        .lines()
        .filter_map(|line| line.strip_prefix("pub(crate) mod ")?.strip_suffix(';'))
        .collect();
    ensure!(commands.len() > 10, "{commands:?}");
    stands_in_layers(folder, &[&commands], &[])?;
    for (path, text) in sources(&[folder])? {
        ensure!(!text.contains("crate::commands::"), "{} imports a command", path.display());
    }
    Ok(())
}

const WRITER: &[&[&str]] = &[
    &[
        "text",
        "topic",
        "template",
        "durations",
        "address",
        "backoff",
        "presence",
        "mistake",
        "outlet",
        "replace",
        "tls",
    ],
    &["report", "file", "meter", "sheet", "survey"],
    &["file_thread", "args", "connection", "sheet_file", "exposed", "texts", "shutdown"],
    &["settings", "trouble", "show"],
    &["link"],
    &["writer"],
];

#[test]
fn the_writer_stands_in_layers() -> Result<()> {
    stands_in_layers("host/writer/src", WRITER, &["fuzz"])
}

#[test]
fn one_type_name_means_one_thing_in_a_crate() -> Result<()> {
    for folder in ["host/engine/src", "host/heatd/src", "host/cli/src", "host/writer/src"] {
        let twice = files_of(folder)?.names_twice();
        ensure!(twice.is_empty(), "{folder}: {twice:?}");
    }
    Ok(())
}

/// The functions of this name in two files, without what stands before them.
fn same_function(name: &str, files: [&str; 2]) -> Result<()> {
    let body = |file: &str| -> Result<String> {
        let text = std::fs::read_to_string(root().join(file))?;
        let begin = text.find(&format!("fn {name}(")).with_context(|| format!("{file}: {name}"))?;
        let rest = &text[begin..];
        Ok(rest[..rest.find("\n}\n").context("a function without an end")?].to_owned())
    };
    let [one, other] = files;
    ensure!(body(one)? == body(other)?, "{name} differs in {one} and {other}");
    Ok(())
}

/// heat-writer links nothing of heatd, so some functions stand in both. They guard secrets: mend one, and mend the other.
#[test]
fn what_heatd_and_the_writer_both_have_is_the_same_in_both() -> Result<()> {
    let exposed = ["host/heatd/src/broker/exposed.rs", "host/writer/src/exposed.rs"];
    for name in ["is_far", "sounds_near", "is_near", "is_near_v4", "is_near_v6"] {
        same_function(name, exposed)?;
    }
    let mistakes = ["host/heatd/src/config/mistakes.rs", "host/writer/src/sheet_file.rs"];
    for name in ["masked", "visible"] {
        same_function(name, mistakes)?;
    }
    same_function("ignores_hangup", ["host/heatd/src/shutdown.rs", "host/writer/src/shutdown.rs"])
}

#[test]
fn heatd_stands_in_layers() -> Result<()> {
    stands_in_layers("host/heatd/src", HEATD, &[])
}

#[test]
fn only_http_knows_axum_and_only_the_daemon_starts_the_engines_loop() -> Result<()> {
    let files = files_of("host/heatd/src")?;
    let web = files.outside("axum::", &["http"]);
    ensure!(web.is_empty(), "axum is for http/: {web:?}");
    let decider = files.outside("crate::decider", &["daemon", "decider"]);
    ensure!(decider.is_empty(), "the engine's loop is for daemon/: {decider:?}");
    Ok(())
}

#[test]
fn the_life_of_a_fave_names_functions_that_exist() -> Result<()> {
    let architecture = std::fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    let section =
        architecture.split("## Life of a `?fave`").nth(1).context("the section is gone")?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let hops: Vec<&str> =
        section.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect();
    assert_eq!(hops.len(), 7, "{hops:?}");
    for hop in hops {
        let mut quoted = hop.split('`').skip(1).step_by(2);
        let (function, file) =
            (quoted.next().context("no function")?, quoted.next().context("no file")?);
        let name = function.rsplit("::").next().unwrap_or(function);
        let text =
            std::fs::read_to_string(root().join(file)).with_context(|| format!("{hop}: {file}"))?;
        ensure!(text.contains(&format!("fn {name}(")), "{file} has no function {name}");
    }
    Ok(())
}
