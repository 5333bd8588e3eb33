//! Loads what is played: a component, its case files, and the rules before it in the chain.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use heat_engine::cases::{Case, Cast, embedded, needs_faves};
use heat_engine::{Component, Limits, Sandbox, role_name};

use super::compiling::Compiling;
use super::kept;
use crate::compiler::Compiler;
use crate::{rule_file, terminal};

/// The rule that makes faves for components that need them.
const FAVE: &str = "fave.wasm";

/// The default memory for a component that is itself larger than the usual limit.
const LARGE: usize = 64 << 20;

#[derive(Args)]
pub(super) struct RuleFile {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    pub(super) file: PathBuf,
    /// The folder with its case files (*.txt); without one, those that the component brings along
    #[arg(long, value_name = "FOLDER")]
    pub(super) cases: Option<PathBuf>,
    /// A rule that comes before it, with its default settings; may be given again. Without one, a multiplier or formula gets its
    /// faves from fave.wasm, beside the component or in the folder rules/ beside heatd
    #[arg(long = "with", value_name = "FILE.wasm")]
    companions: Vec<PathBuf>,
    /// The memory of an instance in MiB, as `memory` in heatd.toml; without it 16, or 64 for a component that is larger than 16 MiB
    #[arg(long, value_name = "MIB", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=128))]
    memory: Option<usize>,
    /// Shows what the rule writes to the log, such as the message of a panic. Cases are played twice, so it is shown twice
    #[arg(long)]
    log: bool,
}

/// Everything that is needed to play cases.
pub(super) struct Loaded {
    pub(super) cast: Cast,
    pub(super) cases: Vec<Case>,
    /// Length of the component.
    pub(super) bytes: usize,
    /// How long the component took to compile and to describe itself.
    pub(super) took: Duration,
}

impl RuleFile {
    pub(super) fn load(&self, sandbox: Sandbox, limits: Limits) -> Result<Loaded> {
        if self.log {
            terminal::start_log("info", terminal::LogFormat::Text);
        }
        let bytes = read(&self.file)?;
        let started = Instant::now();
        let limits = Limits { memory: self.memory(bytes.len(), limits.memory), ..limits };
        let rule = component(&sandbox, &limits, &self.file, &bytes)?;
        let took = started.elapsed();
        let cases = match &self.cases {
            Some(folder) => case_files(folder)?,
            None => embedded(&bytes),
        };
        ensure!(
            !cases.is_empty(),
            "{} brings no cases along; name the folder that has them: --cases FOLDER",
            self.file.display()
        );
        let mut companions = Vec::new();
        for file in self.companions(&rule)? {
            companions.push(component(&sandbox, &limits, &file, &read(&file)?)?);
        }
        let cast = Cast { sandbox: Arc::new(sandbox), limits, rule, companions };
        Ok(Loaded { cast, cases, bytes: bytes.len(), took })
    }

    /// The memory that an instance may use: the default, or what was asked for. A component that is larger than the default was written in a
    /// language with a large runtime; it gets what heatd.toml would have to give it.
    fn memory(&self, component: usize, usual: usize) -> usize {
        match self.memory {
            Some(mebibytes) => mebibytes << 20,
            None if component > usual => LARGE,
            None => usual,
        }
    }

    /// The companions that were named; without any, the one that the rule needs.
    fn companions(&self, rule: &Component) -> Result<Vec<PathBuf>> {
        if !self.companions.is_empty() || !needs_faves(rule) {
            return Ok(self.companions.clone());
        }
        let beside = self.file.parent().unwrap_or(Path::new(".")).to_owned();
        let program = std::env::current_exe().context("failed to find the running program")?;
        let shipped = program.ancestors().skip(1).take(2).map(|folder| folder.join("rules"));
        let folders: Vec<PathBuf> = [beside].into_iter().chain(shipped).collect();
        let mut files = folders.iter().map(|folder| folder.join(FAVE));
        if let Some(file) = files.find(|file| file.is_file()) {
            return Ok(vec![file]);
        }
        let shipped: Vec<String> = folders[1..].iter().map(|it| it.display().to_string()).collect();
        bail!(
            "{} is a {}, and its cases need a rule that makes faves, but {FAVE} is neither beside it nor in {}. It comes with heatd, in the folder rules/; say where it is: --with {FAVE}",
            rule.description.name,
            role_name(rule.description.role),
            shipped.join(" or ")
        )
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    rule_file::read(file).with_context(|| format!("failed to read {}", file.display()))
}

/// A sandbox that lets another process compile what a stranger may have made. `keeps`: compiled code is kept for the next call.
pub(super) fn sandbox(keeps: bool) -> Result<Sandbox> {
    let folder = if keeps { kept::folder() } else { None };
    Ok(Sandbox::new(folder.as_deref())?.with_compiler(Compiler::alone().for_sandbox()))
}

fn component(
    sandbox: &Sandbox,
    limits: &Limits,
    file: &Path,
    bytes: &[u8],
) -> Result<Arc<Component>> {
    let compiling = Compiling::begin(file, bytes.len());
    let loaded = Component::load(sandbox, limits, bytes);
    drop(compiling);
    let loaded = loaded.with_context(|| format!("{} cannot be a rule", file.display()))?;
    Ok(Arc::new(loaded))
}

/// The case files in a folder, by name.
fn case_files(folder: &Path) -> Result<Vec<Case>> {
    let unreadable = || format!("failed to read the cases in {}", folder.display());
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let file = entry.with_context(unreadable)?.path();
        if file.extension() == Some("txt".as_ref()) {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("failed to read {}", file.display()))?;
            cases.push(Case { name, text });
        }
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    ensure!(!cases.is_empty(), "there are no case files (*.txt) in {}", folder.display());
    Ok(cases)
}
