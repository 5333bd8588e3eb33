//! What stands in deploy/ does what it says: units, manifests and configurations, held against the programs that read them.

mod container;
mod kubernetes;
mod manifests;
mod pages;
mod systemd;
#[path = "../flow/town.rs"]
#[expect(dead_code, reason = "a town has more than is needed here")]
mod town;
mod watching;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// A file below deploy/.
fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

fn read(name: &str) -> Result<String> {
    let file = deploy(name);
    std::fs::read_to_string(&file).with_context(|| file.display().to_string())
}

/// Replaces what is there; what is not there is an error.
fn replace(text: &str, from: &str, to: &str) -> Result<String> {
    ensure!(text.contains(from), "there is no {from} in:\n{text}");
    Ok(text.replace(from, to))
}
