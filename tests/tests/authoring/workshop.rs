//! A folder outside of the project, and the programs that an author has.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use heat_tests::processes::binary;
use tempfile::TempDir;

/// What a program said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Its answer, if it has done what it was asked for.
    pub(crate) fn answer(self) -> Result<String> {
        ensure!(self.code == Some(0), "{self:?}");
        Ok(self.out)
    }
}

/// Where programs keep what they can make again.
const CACHES: &str = "XDG_CACHE_HOME";

/// That of the tests, so that none depends on what somebody has compiled at home.
fn caches() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("caches")
}

pub(crate) struct Workshop {
    folder: TempDir,
}

impl Workshop {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(crate) fn write(&self, below: &str, text: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        Ok(std::fs::write(path, text)?)
    }

    pub(crate) fn read(&self, below: &str) -> Result<String> {
        let path = self.path(below);
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    /// Replaces a part of a file, which must be there.
    pub(crate) fn replace(&self, below: &str, from: &str, to: &str) -> Result<()> {
        let text = self.read(below)?;
        ensure!(text.contains(from), "{below} has no {from:?}:\n{text}");
        self.write(below, text.replace(from, to))
    }

    /// Runs heat in a folder below.
    pub(crate) fn heat(&self, below: &str, arguments: &[&str]) -> Result<Said> {
        let mut command = Command::new(binary("heat")?);
        said(command.args(arguments).current_dir(self.path(below)).env(CACHES, caches()))
    }

    /// Runs heatd in a folder below.
    pub(crate) fn heatd(&self, below: &str, arguments: &[&str]) -> Result<Said> {
        let mut command = Command::new(binary("heatd")?);
        said(command.args(arguments).current_dir(self.path(below)).env(CACHES, caches()))
    }

    /// Runs cargo in a folder below, without a network. What is built on the way is kept for the next time.
    pub(crate) fn cargo(&self, below: &str, arguments: &[&str]) -> Result<Said> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("authoring");
        let mut command = Command::new(cargo);
        command.args(arguments).arg("--offline").current_dir(self.path(below));
        command.env_remove("CARGO_TARGET_DIR").env("CARGO_BUILD_BUILD_DIR", kept);
        said(&mut command)
    }
}

pub(crate) fn said(command: &mut Command) -> Result<Said> {
    let output = command.output().with_context(|| format!("failed to start {command:?}"))?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).context("it said what is no text");
    Ok(Said { code: output.status.code(), out: text(output.stdout)?, err: text(output.stderr)? })
}
