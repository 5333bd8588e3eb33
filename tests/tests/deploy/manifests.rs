//! The manifests as kubectl makes them of the kustomization, held against the schemas of Kubernetes by other people's program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use heat_tests::processes::{self, binary};
use serde_json::Value;

use crate::deploy;

/// The oldest that k3s still has, and the newest that there are schemas for.
const VERSIONS: [&str; 2] = ["1.30", "1.37"];

/// Everything that `kubectl apply -k` would send.
pub(crate) fn all() -> Result<Vec<Value>> {
    let mut kustomize = Command::new("kubectl");
    kustomize.arg("kustomize").arg(deploy("kubernetes"));
    let built = processes::run(kustomize, &[])
        .context("kubectl is needed; on Debian: apt-get install kubernetes-client")?;
    checked(&built.stdout)
}

/// Holds manifests against the schemas.
pub(crate) fn checked(yaml: &[u8]) -> Result<Vec<Value>> {
    let mut check = Command::new("python3");
    check.arg(peer("check.py")).args(VERSIONS).env("PYTHONPATH", installed()?);
    let json = processes::run(check, yaml)?;
    let manifests: Vec<Value> = serde_json::from_slice(&json.stdout)?;
    ensure!(!manifests.is_empty(), "there are no manifests");
    Ok(manifests)
}

/// The one of this kind and name.
pub(crate) fn find<'a>(manifests: &'a [Value], kind: &str, name: &str) -> Result<&'a Value> {
    let is_it = |manifest: &&Value| {
        manifest["kind"] == kind
            && manifest["metadata"]["name"].as_str().is_some_and(|found| {
                // A generated config map has a hash behind its name.
                found == name || found.rsplit_once('-').is_some_and(|(stem, _)| stem == name)
            })
    };
    manifests.iter().find(is_it).with_context(|| format!("there is no {kind} {name}"))
}

fn peer(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/kubernetes").join(name)
}

/// The folder of the installed program with its schemas: once for each build folder, never into the project.
fn installed() -> Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let heatd = binary("heatd")?;
    let peers = heatd.parent().context("heatd is in no folder")?.join("peers");
    let wanted = std::fs::read_to_string(peer("requirements.txt"))?;
    let version = wanted.lines().next().unwrap_or_default().replace("==", "-");
    let folder = peers.join(version);
    if !folder.is_dir() {
        std::fs::create_dir_all(&peers)?;
        // Beside it and renamed, so that a broken-off installation is not taken for a whole one.
        let unfinished = tempfile::tempdir_in(&peers)?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "--target"]);
        pip.arg(unfinished.path()).arg("--requirement").arg(peer("requirements.txt"));
        processes::run(pip, &[]).context("failed to install the schemas of Kubernetes")?;
        std::fs::rename(unfinished.path(), &folder)?;
    }
    Ok(folder)
}
