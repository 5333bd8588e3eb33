//! Installs what heatd is held against, below the target folder: Node-RED by npm. The Python with paho is the tests'.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::shell::{root, run, target};
use crate::tools::found;

/// The folder in which Node-RED is installed.
pub(crate) fn node_red() -> Result<PathBuf> {
    ensure!(found("node") && found("npm"), "Node-RED needs Node.js and npm");
    let package = root().join("tests/peers/node-red/package.json");
    let folder = folder("node-red", &package)?;
    if !folder.join("node_modules/node-red/red.js").is_file() {
        std::fs::copy(&package, folder.join("package.json"))?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]);
        run(npm.current_dir(&folder)).context("failed to install Node-RED")?;
    }
    Ok(folder)
}

/// A folder of its own for each list of what to install, so that an old one is never used.
fn folder(name: &str, list: &Path) -> Result<PathBuf> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    std::fs::read(list)
        .with_context(|| format!("failed to read {}", list.display()))?
        .hash(&mut hasher);
    let folder = target().join("peers").join(format!("{name}-{:016x}", hasher.finish()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
