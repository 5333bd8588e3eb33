//! What a rule costs that is written in Rust, JavaScript or Python: one formula of each, told of the same faves.
//!
//! Unlike the other parts it needs no build for release: a test build has its dependencies optimised, the compiler of rules among
//! them, and the code that it makes is the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use heat_tests::figures::{Figure, number};
use serde_json::{Value, json};
use wit_component::DecodedWasm;

use super::{Options, machine, print, program, table};
use crate::rules;
use crate::shell::{self, cargo, output, root, say, target};

/// The formulas, and what they are written in.
const RULES: [(&str, &str); 3] =
    [("decay", "Rust"), ("streak", "JavaScript"), ("milestones", "Python")];

/// Builds, measures, prints.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = rules::build()?;
    rules::languages::build()?;
    let build = ["build", "--locked", "--workspace", "--bench", "languages"];
    shell::run(&mut cargo(build))?;
    let mut names = cargo(build);
    let names = output(names.args(["--quiet", "--message-format", "json"]))
        .context("failed to ask cargo for the name of the bench")?;
    let program = program(&names, "languages")?;
    let mut figures = Vec::new();
    for (rule, language) in RULES {
        say(&format!("{rule}, in {language}"));
        let component = folder.join(format!("{rule}.wasm"));
        figures.push(Figure::new(rule, "interfaces that it imports", "", imports(&component)?));
        figures.extend(measure(&program, &component, &folder)?);
    }
    report(&figures, options)
}

/// In two processes, so that the second has only the memory that a start needs which finds the compiled code.
fn measure(program: &Path, component: &Path, rules: &Path) -> Result<Vec<Figure>> {
    let scratch = target().join("bench/languages");
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)
            .with_context(|| format!("failed to empty {}", scratch.display()))?;
    }
    std::fs::create_dir_all(&scratch)?;
    let mut figures = Vec::new();
    for cold in [true, false] {
        let mut command = Command::new(program);
        command.arg("--component").arg(component).arg("--fave").arg(rules.join("fave.wasm"));
        command.arg("--scratch").arg(&scratch).args(cold.then_some("--cold"));
        let printed = output(&mut command)
            .with_context(|| format!("measuring {} failed", component.display()))?;
        for line in printed.lines() {
            let line: Value =
                serde_json::from_str(line).with_context(|| format!("no figure: {line}"))?;
            let figure = Figure::from_json(&line)?;
            say(&table::line(&figure));
            figures.push(figure);
        }
    }
    Ok(figures)
}

/// How many interfaces a component imports; another than the contract's is an error.
fn imports(component: &Path) -> Result<f64> {
    let bytes = std::fs::read(component)
        .with_context(|| format!("failed to read {}", component.display()))?;
    let DecodedWasm::Component(resolve, world) = wit_component::decode(&bytes)? else {
        bail!("{} is no component", component.display())
    };
    let mut count = 0.0;
    for (key, _) in &resolve.worlds[world].imports {
        let name = resolve.name_world_key(key);
        // Types by themselves, which a world that uses them has too, have plain names.
        if !name.contains(':') {
            continue;
        }
        if !name.starts_with("heat:rules/") {
            bail!("{} imports {name}", component.display());
        }
        count += 1.0;
    }
    Ok(count)
}

fn report(figures: &[Figure], options: &Options) -> Result<()> {
    let machine = machine::describe();
    let markdown = format!("{machine}\n\n{}", markdown(figures));
    print(&markdown);
    if let Some(file) = &options.json {
        let figures: Vec<Value> = figures.iter().map(Figure::to_json).collect();
        let all = json!({ "machine": machine, "figures": figures });
        std::fs::write(file, serde_json::to_string_pretty(&all)?)
            .with_context(|| format!("failed to write {}", file.display()))?;
    }
    if options.write {
        table::write(&root().join("docs/languages.md"), &markdown)?;
    }
    Ok(())
}

/// A row for each figure, a column for each rule.
fn markdown(figures: &[Figure]) -> String {
    let mut text = "| |".to_owned();
    for (rule, language) in RULES {
        // Writing into a string does not fail.
        let _ = write!(text, " {language} (`{rule}`) |");
    }
    text += "\n|---|---|---|---|\n";
    let mut values = BTreeMap::new();
    for figure in figures {
        let value = format!("{} {}", number(figure.value), figure.unit);
        values.insert((figure.name.as_str(), figure.part.as_str()), value);
    }
    for figure in figures.iter().filter(|figure| figure.part == RULES[0].0) {
        let _ = write!(text, "| {} |", figure.name);
        for (rule, _) in RULES {
            let value = values.get(&(figure.name.as_str(), rule));
            let _ = write!(text, " {} |", value.map_or("", |value| value.trim_end()));
        }
        text.push('\n');
    }
    text
}
