//! What every component must be, and what is refused with which words.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use heat_engine::{Component, Given, Limits, LoadError, Rule, Sandbox};

use crate::stage::{component, loaded, root};

/// The rules of this repository, by folder.
pub(crate) fn rules() -> Result<Vec<String>> {
    let mut rules = Vec::new();
    for entry in std::fs::read_dir(root().join("rules"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != "sdk" {
            rules.push(name);
        }
    }
    rules.sort();
    Ok(rules)
}

#[test]
fn every_rule_is_named_as_its_folder_and_has_cases() -> Result<()> {
    let with_cases: BTreeSet<String> =
        crate::cases::case_files()?.into_iter().map(|(rule, _)| rule).collect();
    for rule in rules()? {
        let loaded = loaded(&rule)?;
        assert_eq!(loaded.description.name, rule);
        ensure!(
            with_cases.contains(&rule),
            "{} has no case",
            crate::cases::folder_of(&rule).display()
        );
        for setting in &loaded.description.settings {
            ensure!(!setting.help.is_empty(), "setting {} of {rule} has no help", setting.name);
        }
    }
    Ok(())
}

/// Loads bytes, and returns the words of the refusal.
fn refusal(bytes: &[u8]) -> Result<String> {
    let sandbox = Sandbox::new(None)?;
    match Component::load(&sandbox, &Limits::default(), bytes) {
        Ok(_) => anyhow::bail!("it was accepted"),
        Err(error) => Ok(error.to_string()),
    }
}

#[test]
fn what_is_no_component_is_refused_with_the_reason() -> Result<()> {
    let fave = component("fave")?;
    ensure!(refusal(b"")?.contains("not a WebAssembly component"));
    ensure!(refusal(b"#!/bin/sh\necho hello\n")?.contains("not a WebAssembly component"));
    ensure!(refusal(&fave[..fave.len() / 2])?.contains("not a WebAssembly component"));
    ensure!(refusal(b"\0asm\x01\0\0\0")?.contains("core module"));
    Ok(())
}

#[test]
fn a_component_without_the_exports_is_refused() -> Result<()> {
    let empty = wat::parse_str("(component)")?;
    let words = refusal(&empty)?;
    ensure!(
        words.contains("not a rule of heat:rules@1.0.0") && words.contains("describe"),
        "{words}"
    );
    Ok(())
}

#[test]
fn a_component_that_imports_anything_else_is_refused_by_the_name_of_the_import() -> Result<()> {
    for import in
        ["wasi:filesystem/types@0.2.0", "wasi:clocks/wall-clock@0.2.0", "heat:rules/secrets@1.0.0"]
    {
        let bytes = wat::parse_str(format!("(component (import \"{import}\" (instance)))"))?;
        let words = refusal(&bytes)?;
        ensure!(words.contains(&format!("imports `{import}`")), "{words}");
    }
    Ok(())
}

#[test]
fn a_component_that_fails_to_describe_itself_is_refused() -> Result<()> {
    let words = refusal(&component("liar")?)?;
    ensure!(
        words.contains("it does not describe itself") && words.contains("half_life"),
        "{words}"
    );
    Ok(())
}

#[test]
fn settings_are_held_against_what_the_rule_describes() -> Result<()> {
    let sandbox = Sandbox::new(None)?;
    let limits = std::sync::Arc::new(Limits::default());
    let decay = std::sync::Arc::new(Component::load(&sandbox, &limits, &component("decay")?)?);
    let misbehave =
        std::sync::Arc::new(Component::load(&sandbox, &limits, &component("misbehave")?)?);
    let text = |text: &str| Given::Text(text.to_owned());
    for (component, name, value, expected) in [
        (&decay, "half_live", text("10m"), "no such setting"),
        (&decay, "half_life", Given::Integer(10), "a length of time"),
        (&decay, "half_life", text("31d"), "31d is not from 0s to 30d"),
        (&decay, "per_fave", text("1"), "must be a number"),
        (&decay, "per_fave", Given::Float(f64::NAN), "must be a number"),
        (&decay, "output", text(&"x".repeat(33)), "longer than 32"),
        (&misbehave, "refuse", Given::Boolean(true), "refused on purpose"),
    ] {
        match Rule::new(&sandbox, &limits, component, &[(name.to_owned(), value)]) {
            Ok(_) => anyhow::bail!("{name} was accepted"),
            Err(error @ (LoadError::Settings(_) | LoadError::Refused(_))) => {
                ensure!(error.to_string().contains(expected), "{error}");
            }
            Err(error) => anyhow::bail!("{name}: {error}"),
        }
    }
    Ok(())
}

#[test]
fn the_limits_that_the_contract_tells_are_the_limits() -> Result<()> {
    let contract = std::fs::read_to_string(root().join("wit/rule.wit"))?;
    let limits = Limits::default();
    let millions = limits.fuel / 1_000_000;
    for sentence in [
        format!("{millions} million instructions"),
        format!("{} ms", limits.wall_ms),
        format!("{} MiB of memory", limits.memory >> 20),
        format!("{} KiB of stack", heat_engine::STACK >> 10),
        format!("{} MiB handed over", limits.answer_bytes >> 20),
        format!("{} effects", limits.effects),
        format!("{} faves", limits.faves),
        format!("{} chat lines", limits.says),
        format!("{} million instructions.", limits.migration_fuel / 1_000_000),
        format!("{} outputs", limits.outputs),
        format!("{} bytes of a key", limits.key_bytes),
        format!("{} KiB of a value", limits.value_bytes >> 10),
        format!("{} characters of a text", limits.text_chars),
        format!("{} keys", limits.state_keys),
        format!("{} MiB of state", limits.state_bytes >> 20),
        format!("{} timers", limits.timers),
        format!("{} messages at once", limits.messages_at_once),
        format!("{} in each second", limits.messages_per_second),
        format!("{} log lines of {} bytes", limits.log_lines, limits.log_line_bytes),
        format!("at most {} events", limits.instance_events),
    ] {
        ensure!(contract.contains(&sentence), "wit/rule.wit does not say {sentence:?}");
    }
    Ok(())
}

#[test]
fn compiled_code_is_kept_and_damaged_code_is_compiled_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let bytes = component("decay")?;
    let load = || -> Result<()> {
        Component::load(&Sandbox::new(Some(folder.path()))?, &Limits::default(), &bytes)?;
        Ok(())
    };
    load()?;
    let files: Vec<_> = std::fs::read_dir(folder.path())?.collect::<Result<_, _>>()?;
    assert_eq!(files.len(), 1);
    let file = files[0].path();
    let code = std::fs::read(&file)?;
    let modified = std::fs::metadata(&file)?.modified()?;
    load()?;
    assert_eq!(std::fs::metadata(&file)?.modified()?, modified, "it was compiled again");

    let mut damaged = code.clone();
    damaged[code.len() / 2] ^= 1;
    std::fs::write(&file, damaged)?;
    load()?;
    assert_eq!(std::fs::read(&file)?, code);
    Ok(())
}
