//! Reads a rule for heatd: a file, or the folder of a rule with its cases. What compilers make becomes a component on the way.

pub(crate) mod component;
pub(crate) mod project;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::rule_file::project::RulePlace;
use crate::terminal::note;

/// The component in a file, or that of a rule's folder.
pub(crate) fn read(place: &Path) -> Result<Vec<u8>> {
    let project = RulePlace::at(place).find()?;
    if let Some(words) = project.stale() {
        note(&words);
    }
    component::of(&project)
}

/// The name that a rule probably has: that of its file or its folder.
pub(crate) fn stem(place: &Path) -> String {
    let is_folder = place.is_dir();
    // `.` has no name, and what it stands for has.
    let whole = if is_folder { place.canonicalize().ok() } else { None };
    let place = whole.unwrap_or_else(|| PathBuf::from(place));
    let name = if is_folder { place.file_name() } else { place.file_stem() };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_named_as_its_file_or_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let rule = folder.path().join("my-rule.v2");
        std::fs::create_dir(&rule).unwrap();
        assert_eq!(stem(&rule), "my-rule.v2");
        assert_eq!(stem(&rule.join(".")), "my-rule.v2");
        assert_eq!(stem(&rule.join("decay.wasm")), "decay");
    }

    #[test]
    fn what_is_no_rule_is_said() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"#!/bin/sh").unwrap();
        assert!(read(file.path()).unwrap_err().to_string().contains("is no WebAssembly"));
        assert!(read(Path::new("no/such.wasm")).unwrap_err().to_string().contains("no/such.wasm"));
    }
}
