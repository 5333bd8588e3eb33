//! Reads a rule from its file, as a component that heatd takes: what compilers make is a core module, and becomes one here.

use std::path::Path;

use anyhow::{Context, Result, bail};
use wit_component::ComponentEncoder;

/// What a core module and a component begin with: the magic bytes, then version and layer.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// The component in a file.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>> {
    let shown = file.display();
    let bytes = std::fs::read(file).with_context(|| format!("failed to read {shown}"))?;
    if bytes.starts_with(COMPONENT) {
        Ok(bytes)
    } else if bytes.starts_with(MODULE) {
        component_of(&bytes).with_context(|| {
            format!("{shown} is a module, and no rule can be made of it; is it built for wasm32-unknown-unknown, with the heat-rule crate?")
        })
    } else {
        bail!(
            "{shown} is no WebAssembly; a rule's file ends in .wasm, and cargo xtask rules makes those of this project"
        )
    }
}

fn component_of(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default().validate(true).module(module)?.encode()
}

/// The name of the rule that a file probably holds.
pub(crate) fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<Vec<u8>> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), bytes)?;
        read(file.path())
    }

    #[test]
    fn a_component_is_passed_on_as_it_is() {
        let bytes = [COMPONENT, b"whatever"].concat();
        assert_eq!(read_bytes(&bytes).unwrap(), bytes);
    }

    #[test]
    fn what_is_no_rule_is_said() {
        let refusal = |bytes: &[u8]| format!("{:#}", read_bytes(bytes).unwrap_err());
        assert!(refusal(b"#!/bin/sh").contains("is no WebAssembly"));
        assert!(refusal(&[MODULE, b"\x63"].concat()).contains("no rule can be made"));
        assert!(
            format!("{:#}", read(Path::new("no/such.wasm")).unwrap_err()).contains("no/such.wasm")
        );
    }
}
