//! Rules in JavaScript and Python, from the first command until their cases are played. What builds them was installed by
//! `cargo xtask rules --all`, for the rules of this repository, with the same versions.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use heat_tests::processes::binary;
use serde_json::Value;

use crate::workshop::{Said, Workshop, said};

/// Where cargo builds, and the packages are.
fn target() -> Result<PathBuf> {
    let program = binary("heat")?;
    Ok(program.ancestors().nth(2).context("heat is not in a target folder")?.to_owned())
}

/// `npm run build` in a folder below, with the packages of the rule `streak`.
fn npm(workshop: &Workshop, below: &str) -> Result<Said> {
    let packages = target()?.join("languages/streak/node_modules/.bin");
    ensure!(
        packages.is_dir(),
        "{} is not there; run `cargo xtask rules --all`",
        packages.display()
    );
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([packages].into_iter().chain(std::env::split_paths(&rest)))?;
    let mut build = Command::new("npm");
    said(build.args(["run", "build"]).env("PATH", path).current_dir(workshop.path(below)))
}

/// `python build.py` in a folder below, with the packages of the rule `milestones`.
fn python(workshop: &Workshop, below: &str) -> Result<Said> {
    let python = target()?.join("python/bin/python");
    ensure!(python.is_file(), "{} is not there; run `cargo xtask rules --all`", python.display());
    said(Command::new(python).arg("build.py").current_dir(workshop.path(below)))
}

#[test]
fn rules_in_javascript_build_and_pass_their_cases() -> Result<()> {
    let workshop = Workshop::new()?;
    for role in ["handler", "multiplier", "formula"] {
        let new = ["rules", "new", role, "--lang", "javascript", "--role", role];
        let made = workshop.heat("", &new)?.answer()?;
        ensure!(made.contains("npm run build"), "{made}");
        npm(&workshop, role)?.answer()?;
        let tested = workshop.heat(role, &["rules", "test"])?.answer()?;
        ensure!(tested.starts_with(&format!("{role} 0.1.0, a {role} of ")), "{tested}");
        ensure!(tested.contains("ok       first.txt"), "{tested}");
    }
    Ok(())
}

#[test]
fn a_mistake_in_javascript_is_told_by_its_name_and_its_place() -> Result<()> {
    let workshop = Workshop::new()?;
    workshop.heat("", &["rules", "new", "clumsy", "--lang", "javascript"])?.answer()?;
    workshop.replace("clumsy/src/rule.js", "get(\"degrees\", 0)", "event.person.login")?;
    npm(&workshop, "clumsy")?.answer()?;
    let tested = workshop.heat("clumsy", &["rules", "test", "--log"])?;
    ensure!(tested.code == Some(1), "{tested:?}");
    let all = format!("{}{}", tested.out, tested.err);
    ensure!(all.contains("cannot read property 'login' of undefined"), "{all}");
    ensure!(all.contains("/src/rule.js:"), "{all}");
    Ok(())
}

#[test]
fn a_rule_in_javascript_that_keeps_state_in_a_variable_is_told_so() -> Result<()> {
    let workshop = Workshop::new()?;
    workshop.heat("", &["rules", "new", "forgetful", "--lang", "javascript"])?.answer()?;
    let state = "const degrees = get(\"degrees\", 0) + setting(\"per_fave\");";
    let variable = "const degrees = (globalThis.degrees ?? 0) + setting(\"per_fave\");\n  globalThis.degrees = degrees;";
    workshop.replace("forgetful/src/rule.js", state, variable)?;
    npm(&workshop, "forgetful")?.answer()?;
    let tested = workshop.heat("forgetful", &["rules", "test"])?;
    ensure!(tested.out.contains("the rule keeps state in a variable"), "{tested:?}");
    Ok(())
}

/// One role only: heatd compiles each for half a minute.
#[test]
fn a_rule_in_python_builds_and_passes_its_cases() -> Result<()> {
    let workshop = Workshop::new()?;
    let made = workshop.heat("", &["rules", "new", "warmth", "--lang", "python"])?.answer()?;
    ensure!(made.contains("build.py"), "{made}");
    python(&workshop, "warmth")?.answer()?;
    let tested = workshop.heat("warmth", &["rules", "test"])?.answer()?;
    ensure!(tested.starts_with("warmth 0.1.0, a formula of "), "{tested}");
    ensure!(tested.contains("ok       first.txt"), "{tested}");
    Ok(())
}

#[test]
fn the_types_for_typescript_are_of_the_helpers_that_there_are() -> Result<()> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/streak/src");
    let exported = |file: &str| -> Result<BTreeSet<String>> {
        let text = std::fs::read_to_string(source.join(file))?;
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix("export ")?;
            let rest = ["const ", "function "].iter().find_map(|kind| rest.strip_prefix(kind))?;
            let end = |c: char| !c.is_ascii_alphanumeric();
            rest.split(end).next().map(str::to_owned)
        });
        Ok(values.collect())
    };
    let (helpers, typed) = (exported("heat.js")?, exported("heat.d.ts")?);
    ensure!(helpers.len() > 25, "{helpers:?}");
    assert_eq!(helpers, typed);
    Ok(())
}

#[test]
fn new_rules_have_the_helpers_and_tools_of_the_rules_here() -> Result<()> {
    let workshop = Workshop::new()?;
    for (name, language) in [("one", "javascript"), ("two", "python")] {
        workshop.heat("", &["rules", "new", name, "--lang", language])?.answer()?;
    }
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let ours = |file: &str| std::fs::read_to_string(rules.join(file)).context(file.to_owned());
    for (made, rule) in [
        ("one/src/heat.js", "streak/src/heat.js"),
        ("one/src/heat.d.ts", "streak/src/heat.d.ts"),
        ("two/heat.py", "milestones/heat.py"),
        ("two/requirements.txt", "milestones/requirements.txt"),
    ] {
        ensure!(workshop.read(made)? == ours(rule)?, "{made} is not rules/{rule}");
    }
    let tools = |package: &str| -> Result<Value> {
        let package: Value = serde_json::from_str(package)?;
        Ok(package["devDependencies"].clone())
    };
    let made = tools(&workshop.read("one/package.json")?)?;
    ensure!(made.is_object() && made == tools(&ours("streak/package.json")?)?, "{made}");
    Ok(())
}
