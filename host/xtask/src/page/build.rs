//! Builds the page with npm, unless nothing has changed since.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::shell::{root, run, say};

/// What the page is made of, in its folder.
const INPUTS: [&str; 8] = [
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.json",
    "compress.mjs",
    "index.html",
    "public",
    "src",
];

/// Builds host/dashboard/dist, from where heatd's build takes it.
pub(crate) fn build() -> Result<()> {
    ensure!(super::can_build(), "the page needs npm; install Node.js (20.19 or newer)");
    let folder = folder();
    let stamp = folder.join("dist/.made-of");
    let inputs = inputs(&folder)?;
    let is_built = std::fs::read_to_string(&stamp).is_ok_and(|built| built == inputs);
    if is_built && folder.join("node_modules").is_dir() {
        say("the page: unchanged");
        return Ok(());
    }
    // Not `npm ci`: that fails where a registry lacks the packages of other systems, which nobody needs here.
    run(&mut npm(["install", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    run(&mut npm(["run", "--silent", "build"])).context("failed to build the page")?;
    std::fs::write(&stamp, inputs).with_context(|| format!("failed to write {}", stamp.display()))
}

/// npm in the folder of the page.
pub(crate) fn npm<const N: usize>(arguments: [&str; N]) -> Command {
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args(arguments).current_dir(folder());
    npm
}

fn folder() -> PathBuf {
    root().join("host/dashboard")
}

/// A number for everything that the page is made of.
fn inputs(folder: &Path) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for name in INPUTS {
        take(&folder.join(name), &mut hasher)?;
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn take(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    let failed = || format!("failed to read {}", path.display());
    if !path.is_dir() {
        (path, std::fs::read(path).with_context(failed)?).hash(hasher);
        return Ok(());
    }
    let mut below = Vec::new();
    for entry in std::fs::read_dir(path).with_context(failed)? {
        below.push(entry?.path());
    }
    below.sort();
    below.iter().try_for_each(|path| take(path, hasher))
}
