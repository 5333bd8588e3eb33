//! Builds the rule crates for WebAssembly and makes components of them. [`languages`] does so for rules that are no crates.

pub(crate) mod languages;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use wasm_encoder::{CustomSection, Section as _};
use wit_component::ComponentEncoder;

use crate::shell::{cargo, root, run, say, target};
use crate::tools;

/// What rules are built for: no WASI, so that a component imports nothing but our own interfaces.
const TARGET: &str = "wasm32-unknown-unknown";

/// The section in which a component brings its case files along; the engine reads it.
const CASES: &str = "heat:cases";

#[derive(Args)]
pub(crate) struct Options {
    /// Builds the rules in JavaScript and Python too. Installs what they need, below target.
    #[arg(long)]
    all: bool,
}

/// Builds what the command line asks for.
pub(crate) fn command(options: &Options) -> Result<()> {
    build()?;
    if options.all { languages::build() } else { Ok(()) }
}

/// Builds every rule in Rust into target/rules and every guest of the tests into target/guests. Returns the folder of the rules.
pub(crate) fn build() -> Result<PathBuf> {
    let guests = crates(&root().join("tests/guests"))?;
    let folder = build_with(&every()?, &guests)?;
    componentize(&guests, &target().join("guests"))?;
    Ok(folder)
}

/// The same without the guests, which only tests and benches run.
pub(crate) fn build_alone() -> Result<PathBuf> {
    build_with(&every()?, &[])
}

/// Builds these rules alone: nobody waits longer than it takes.
pub(crate) fn build_these(rules: &[&str]) -> Result<PathBuf> {
    let rules: Vec<String> = rules.iter().map(|name| (*name).to_owned()).collect();
    build_with(&rules, &[])
}

/// The rules in Rust.
fn every() -> Result<Vec<String>> {
    Ok(crates(&root().join("rules"))?.into_iter().filter(|name| name != "sdk").collect())
}

/// Builds the rules, and in the same call of cargo other crates.
fn build_with(rules: &[String], others: &[String]) -> Result<PathBuf> {
    tools::rust_target(TARGET)?;
    let mut build =
        cargo(["build", "--quiet", "--locked", "--profile", "rule", "--target", TARGET]);
    for name in rules.iter().chain(others) {
        build.args(["--package", name]);
    }
    run(&mut build)?;
    let folder = target().join("rules");
    componentize(rules, &folder)?;
    Ok(folder)
}

/// The crates in a folder, which are named as their folders are.
fn crates(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))?
    {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn componentize(names: &[String], folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for name in names {
        let module =
            target().join(TARGET).join("rule").join(format!("{}.wasm", name.replace('-', "_")));
        let bytes = std::fs::read(&module)
            .with_context(|| format!("failed to read {}", module.display()))?;
        let mut component = ComponentEncoder::default()
            .validate(true)
            .module(&bytes)
            .and_then(|mut encoder| encoder.encode())
            .with_context(|| format!("failed to make a component of {name}"))?;
        embed(&mut component, &root().join("rules").join(name).join("cases"))?;
        let file = folder.join(format!("{name}.wasm"));
        std::fs::write(&file, component)
            .with_context(|| format!("failed to write {}", file.display()))?;
    }
    say(&format!("  {}: {}", folder.display(), names.join(", ")));
    Ok(())
}

/// Puts the case files of a folder into a component.
fn embed(component: &mut Vec<u8>, folder: &Path) -> Result<()> {
    let cases = cases(folder)?;
    if !cases.is_empty() {
        let data = serde_json::to_vec(&cases)?.into();
        CustomSection { name: CASES.into(), data }.append_to(component);
    }
    Ok(())
}

/// The case files in a folder, by name; none where there is no such folder, as for the guests of the tests.
fn cases(folder: &Path) -> Result<Vec<(String, String)>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut cases = Vec::new();
    for entry in entries {
        let file = entry?.path();
        if file.extension() == Some("txt".as_ref()) {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("failed to read {}", file.display()))?;
            cases.push((name, text));
        }
    }
    cases.sort();
    Ok(cases)
}
