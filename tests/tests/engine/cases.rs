//! The rules' case files: chat in, effects out. `UPDATE_EXPECT=1` rewrites them with what the rules answer.
//!
//! How a case is written: `host/engine/src/cases.rs`, which plays them. A multiplier or formula gets its faves from the rule `fave`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use heat_engine::cases::{Case, Cast, Outcome, difference, embedded, judge, needs_faves};

use crate::stage::{component, limits_of, loaded, root, sandbox};

#[test]
fn every_case_of_every_rule_is_as_written() -> Result<()> {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut different = Vec::new();
    let mut count = 0;
    for (rule, file) in case_files()? {
        let name = file.display().to_string();
        let case = Case { name, text: std::fs::read_to_string(&file)? };
        let outcome = judge(&cast(&rule)?, &case).with_context(|| case.name.clone())?;
        match outcome {
            Outcome::AsWritten => {}
            Outcome::KeepsState(lines) => anyhow::bail!(
                "{}: the rule keeps state in a variable: it answers otherwise when its instance is new\n{lines}",
                case.name
            ),
            Outcome::Different(played) if update => std::fs::write(&file, played)?,
            Outcome::Different(played) => {
                different.push(format!("{}\n{}", case.name, difference(&case.text, &played)));
            }
        }
        count += 1;
    }
    ensure!(count > 0, "there are no cases");
    ensure!(
        different.is_empty(),
        "{}\n- is written, + was played; UPDATE_EXPECT=1 takes what was played\n",
        different.join("\n")
    );
    Ok(())
}

#[test]
fn every_rule_brings_its_cases_along() -> Result<()> {
    for rule in crate::contract::rules()? {
        let mut written: Vec<Case> = Vec::new();
        for (_, file) in case_files()?.into_iter().filter(|(of, _)| *of == rule) {
            let name = file.file_name().context("a case without a name")?;
            let (name, text) =
                (name.to_string_lossy().into_owned(), std::fs::read_to_string(&file)?);
            written.push(Case { name, text });
        }
        let inside = embedded(&component(&rule)?);
        ensure!(
            inside == written,
            "{rule}.wasm has other cases than its folder; run `cargo xtask rules`"
        );
    }
    Ok(())
}

/// The rules, and the case files of each.
pub(crate) fn case_files() -> Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for rule in crate::contract::rules()? {
        let folder = root().join("rules").join(&rule).join("cases");
        for entry in std::fs::read_dir(&folder)
            .with_context(|| format!("{} has no cases", folder.display()))?
        {
            files.push((rule.clone(), entry?.path()));
        }
    }
    files.retain(|(_, file)| file.extension() == Some("txt".as_ref()));
    files.sort();
    Ok(files)
}

/// The rule alone if it makes faves itself, else behind the rule that does.
fn cast(rule: &str) -> Result<Cast> {
    let (limits, sandbox, rule) = (limits_of(rule), sandbox()?, loaded(rule)?);
    let companions = if needs_faves(&rule) { vec![loaded("fave")?] } else { Vec::new() };
    Ok(Cast { sandbox, limits, rule, companions })
}

/// Kept here so that a rule without cases fails by name.
pub(crate) fn folder_of(rule: &str) -> PathBuf {
    Path::new("rules").join(rule).join("cases")
}
