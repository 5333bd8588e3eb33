//! What the bench is told: where the programs are, what to leave out, how long to measure.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub(crate) struct Setup {
    /// Short rounds, and few: to see that everything works.
    pub(crate) quick: bool,
    /// Where the components of the rules are.
    pub(crate) rules: PathBuf,
    /// A folder on the disk that is measured.
    pub(crate) scratch: PathBuf,
    /// heat-writer as it is built for the streaming PC.
    pub(crate) writer: PathBuf,
    /// The bench of the engine, which has a floor.
    pub(crate) engine: PathBuf,
    /// The bare reader of chat.
    pub(crate) lines: PathBuf,
    /// The library that makes a disk slow.
    pub(crate) slow_disk: PathBuf,
    /// The scripts of the peers.
    pub(crate) peers: PathBuf,
    /// The folder where Node-RED is installed, if it is.
    pub(crate) node_red: Option<PathBuf>,
    /// A Python that has paho, if there is one.
    pub(crate) python: Option<PathBuf>,
    /// The one part that is wanted, or all.
    only: Option<String>,
}

impl Setup {
    /// None without any argument.
    pub(crate) fn from_arguments() -> Result<Option<Self>> {
        let arguments: Vec<String> = std::env::args().collect();
        let value = |name: &str| {
            let place = arguments.iter().position(|argument| argument == name)?;
            arguments.get(place + 1).cloned()
        };
        let path = |name: &str| {
            value(name).map(PathBuf::from).with_context(|| format!("{name} PATH is missing"))
        };
        if value("--rules").is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            quick: arguments.iter().any(|argument| argument == "--quick"),
            rules: path("--rules")?,
            scratch: path("--scratch")?,
            writer: path("--writer")?,
            engine: path("--engine")?,
            lines: path("--lines")?,
            slow_disk: path("--slow-disk")?,
            peers: path("--peers")?,
            node_red: path("--node-red").ok(),
            python: path("--python").ok(),
            only: value("--only"),
        }))
    }

    pub(crate) fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }

    /// A component, if it is built.
    pub(crate) fn rule(&self, name: &str) -> Option<PathBuf> {
        Some(self.rules.join(format!("{name}.wasm"))).filter(|file| file.is_file())
    }

    /// One of the two, as the run is quick or not.
    pub(crate) fn pick<T>(&self, quick: T, whole: T) -> T {
        if self.quick { quick } else { whole }
    }
}

/// The size of a file in megabytes.
pub(crate) fn megabytes(file: &Path) -> Result<f64> {
    let metadata = std::fs::metadata(file).with_context(|| file.display().to_string())?;
    Ok(metadata.len() as f64 / 1e6)
}

/// A line for the person who waits.
#[expect(clippy::print_stderr, reason = "the terminal is where it is waited")]
pub(crate) fn progress(line: &str) {
    eprintln!("  {line}");
}
