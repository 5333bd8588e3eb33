//! Makes a component of what a build made, and puts the case files into it.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use wasm_encoder::{CustomSection, Section as _};
use wit_component::ComponentEncoder;

use super::project::Project;

/// The section in which a component brings its case files along: a JSON list of `[name, text]`. heatd reads it.
const SECTION: &str = "heat:cases";

/// heatd passes over a section that is longer.
const MOST_BYTES: usize = 256 << 10;

/// What a core module and a component begin with: the magic bytes, then version and layer.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// The component of a rule's folder, with the cases of the folder in it.
pub(crate) fn of(project: &Project) -> Result<Vec<u8>> {
    let file = &project.built;
    let bytes =
        std::fs::read(file).with_context(|| format!("failed to read {}", file.display()))?;
    let mut component = if bytes.starts_with(MODULE) {
        encode(&bytes).with_context(|| format!("no component can be made of {}", file.display()))?
    } else if bytes.starts_with(COMPONENT) {
        bytes
    } else {
        bail!("{} is no WebAssembly", file.display())
    };
    if let Some(folder) = &project.cases {
        embed(&mut component, &case_files(folder)?)?;
    }
    Ok(component)
}

fn encode(module: &[u8]) -> Result<Vec<u8>> {
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode());
    encoded.map_err(|error| {
        let reason = format!("{error:#}");
        if reason.contains("wasi") {
            error.context("it wants WASI, which no rule gets; in Rust, build it for wasm32-unknown-unknown")
        } else {
            error.context("it does not look like a rule of heat:rules@1.0.0; in Rust, it needs heat-rule and one of handler!, multiplier! and formula!")
        }
    })
}

/// Appends the section. Where there is one already, the last one counts.
fn embed(component: &mut Vec<u8>, cases: &[(String, String)]) -> Result<()> {
    let data = serde_json::to_vec(cases)?;
    ensure!(
        data.len() <= MOST_BYTES,
        "the cases have {} bytes together, and a component takes at most {MOST_BYTES}; shorten them",
        data.len()
    );
    CustomSection { name: SECTION.into(), data: data.into() }.append_to(component);
    Ok(())
}

/// The case files in a folder, by name.
fn case_files(folder: &Path) -> Result<Vec<(String, String)>> {
    let unreadable = || format!("failed to read the cases in {}", folder.display());
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let file = entry.with_context(unreadable)?.path();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a file with these bytes.
    fn made_of(bytes: &[u8], cases: &[(&str, &str)]) -> Result<Vec<u8>> {
        let folder = tempfile::tempdir()?;
        let built = folder.path().join("rule.wasm");
        std::fs::write(&built, bytes)?;
        for (name, text) in cases {
            std::fs::write(folder.path().join(name), text)?;
        }
        of(&Project::with_cases(built, folder.path()))
    }

    #[test]
    fn cases_stand_at_the_end_of_the_component_by_name() {
        let cases = [("b.txt", "bob: hi\n"), ("a.txt", "ann: hi\n"), ("notes.md", "none")];
        let made = made_of(COMPONENT, &cases).unwrap();
        let expected = b"heat:cases[[\"a.txt\",\"ann: hi\\n\"],[\"b.txt\",\"bob: hi\\n\"]]";
        assert!(made.starts_with(COMPONENT) && made.ends_with(expected), "{made:?}");
    }

    #[test]
    fn what_can_be_no_rule_is_refused_with_the_reason() {
        let refusal = |bytes: &[u8], cases: &[(&str, &str)]| {
            format!("{:#}", made_of(bytes, cases).expect_err("it was taken"))
        };
        assert!(refusal(b"#!/bin/sh", &[]).contains("is no WebAssembly"));
        assert!(refusal(&[MODULE, b"\x63"].concat(), &[]).contains("no component can be made"));
        let long = "x".repeat(MOST_BYTES);
        assert!(refusal(COMPONENT, &[("a.txt", &long)]).contains("at most 262144"));
    }
}
