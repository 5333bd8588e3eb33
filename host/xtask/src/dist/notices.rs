//! The licences of what the programs link: most of them ask that their text goes along.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::programs::Target;
use crate::shell::{cargo, output, root};

/// How the files are called that have licences in them.
const NAMES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];

/// Every crate that these packages link on a target, with its licence; and each text once, with the crates that it is of.
pub(super) fn of(target: &Target, packages: &[&str]) -> Result<String> {
    let linked = linked(target, packages)?;
    let mut list = String::new();
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in all()?.as_array().into_iter().flatten() {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let name = format!("{} {}", text("name"), text("version"));
        // What has no source is our own.
        if package["source"].is_null() || !linked.contains(&name) {
            continue;
        }
        let _ = writeln!(list, "{name}: {} ({})", text("license"), text("repository"));
        let folder = Path::new(text("manifest_path")).parent().context("a crate in no folder")?;
        for licence in files(folder)? {
            texts.entry(licence).or_default().insert(name.clone());
        }
    }
    if packages.contains(&"heatd") {
        // The page, which heatd has in it, is ours but for this.
        let folder = root().join("host/dashboard/node_modules/uplot");
        let _ = writeln!(list, "uplot: MIT (https://github.com/leeoniya/uPlot)");
        for licence in files(&folder)? {
            texts.entry(licence).or_default().insert("uplot".to_owned());
        }
    }
    ensure!(!list.is_empty() && !texts.is_empty(), "no licences were found");
    let mut all =
        format!("These programs contain the following, each under its licence.\n\n{list}");
    for (text, crates) in texts {
        let crates: Vec<String> = crates.into_iter().collect();
        let _ =
            write!(all, "\n{}\n{}:\n\n{}\n", "=".repeat(80), crates.join(", "), text.trim_end());
    }
    Ok(all)
}

/// Names and versions, as `cargo tree` has them for this target.
fn linked(target: &Target, packages: &[&str]) -> Result<BTreeSet<String>> {
    let mut tree = cargo(["tree", "--locked", "--edges", "normal", "--prefix", "none"]);
    tree.args(["--format", "{p}", "--target", target.triple]);
    for package in packages {
        tree.args(["--package", package]);
    }
    let lines = output(&mut tree).context("cargo tree fails")?;
    // "serde v1.0.229 (proc-macro)"
    let name = |line: &str| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
    };
    Ok(lines.lines().filter_map(name).collect())
}

fn all() -> Result<Value> {
    let metadata = output(&mut cargo(["metadata", "--locked", "--format-version", "1"]));
    let mut value: Value = serde_json::from_str(&metadata.context("cargo metadata fails")?)?;
    Ok(value["packages"].take())
}

/// The texts of the licences that stand beside a manifest.
fn files(folder: &Path) -> Result<BTreeSet<String>> {
    let mut texts = BTreeSet::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if NAMES.iter().any(|start| name.starts_with(start)) && entry.path().is_file() {
            let text = String::from_utf8_lossy(&std::fs::read(entry.path())?).replace("\r\n", "\n");
            texts.insert(text);
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::programs::TARGETS;

    #[test]
    fn what_the_writer_links_is_named_with_its_licence() -> Result<()> {
        for target in &TARGETS {
            let text = of(target, &["heat-writer"])?;
            assert!(text.contains("\nserde ") && text.contains("MIT OR Apache-2.0"), "{text}");
            assert!(text.contains("ring ") && text.contains("Permission to use, copy, modify"));
            assert!(!text.contains("\nwasmtime ") && !text.contains("\nheat-writer "));
            assert_eq!(text.contains("\nwindows-sys "), target.windows);
        }
        Ok(())
    }
}
