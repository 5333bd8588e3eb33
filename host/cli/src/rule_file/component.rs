//! Makes a component of what a build made, and puts the case files into it.

use std::io::Read;
use std::path::Path;
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
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
    let bytes = whole(file).with_context(|| format!("failed to read {}", file.display()))?;
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

/// The largest component that heatd takes, in bytes.
const LARGEST: u64 = 64 << 20;

/// The bytes of a file. A device or a pipe has no end, and is no rule.
fn whole(file: &Path) -> Result<Vec<u8>> {
    ensure!(std::fs::metadata(file)?.is_file(), "it is no regular file");
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= LARGEST, "it is larger than {} MiB", LARGEST >> 20);
    Ok(bytes)
}

/// The most bytes that a module may use to describe its types. heat:rules uses a tenth of them. The encoder recurses into a type that is
/// inside another one, and each such level takes three bytes.
const MOST_TYPES: usize = 64 << 10;

/// A stack that is enough for so many levels. It is only taken as far as it is used.
const STACK: usize = 512 << 20;

fn encode(module: &[u8]) -> Result<Vec<u8>> {
    let types = bytes_of_types(module);
    ensure!(
        types <= MOST_TYPES,
        "it says {types} bytes of its types, and a rule may say at most {MOST_TYPES}"
    );
    let module = module.to_vec();
    let encoding = move || {
        let encoder = ComponentEncoder::default().validate(true).module(&module);
        encoder.and_then(|mut encoder| encoder.encode())
    };
    let thread = thread::Builder::new().stack_size(STACK).spawn(encoding);
    let encoded = thread.context("failed to start a thread")?.join();
    let encoded = encoded.map_err(|_| anyhow!("the encoder panicked at it"))?;
    encoded.map_err(|error| {
        let reason = format!("{error:#}");
        if reason.contains("wasi") {
            error.context("it wants WASI, which no rule gets; in Rust, build it for wasm32-unknown-unknown")
        } else {
            error.context("it does not look like a rule of heat:rules@1.0.0; in Rust, it needs heat-rule and one of handler!, multiplier! and formula!")
        }
    })
}

/// How many bytes the sections of a module have in which it says what its types are.
fn bytes_of_types(module: &[u8]) -> usize {
    const NAME: &[u8] = b"component-type";
    let (mut rest, mut bytes) = (&module[MODULE.len().min(module.len())..], 0);
    while let Some((id, after)) = rest.split_first() {
        let Some((length, after)) = number(after) else { break };
        let (content, next) = after.split_at(length.min(after.len()));
        let name = number(content).map_or(&[][..], |(_, name)| name);
        if *id == 0 && name.starts_with(NAME) {
            bytes += content.len();
        }
        rest = next;
    }
    bytes
}

/// A number as WebAssembly writes it, and what is behind it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let end = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)?;
    let (number, rest) = bytes.split_at(end + 1);
    let digits = number.iter().rev();
    Some((digits.fold(0, |sum, byte| (sum << 7) | usize::from(byte & 0x7f)), rest))
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

    /// A module that says of its types that they are nested so deep.
    fn nested(levels: usize) -> Vec<u8> {
        let types = [vec![1], [0x41, 1, 1].repeat(levels - 1), vec![0x42, 0]].concat();
        let mut component = COMPONENT.to_vec();
        wasm_encoder::RawSection { id: 7, data: &types }.append_to(&mut component);
        let mut module = MODULE.to_vec();
        CustomSection { name: "component-type:rule".into(), data: component.into() }
            .append_to(&mut module);
        module
    }

    #[test]
    fn types_in_types_end_no_program() {
        let refusal = |levels| format!("{:#}", made_of(&nested(levels), &[]).expect_err("taken"));
        assert!(refusal(20_000).contains("no component can be made"));
        assert!(refusal(30_000).contains("bytes of its types"));
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
