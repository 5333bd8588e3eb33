//! `heat rules test` and `heat rules bench`: heatd plays a rule, without a configuration and without a stream.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::heatd::find_heatd;
use crate::rule_file::component;
use crate::rule_file::project::{Project, RulePlace};
use crate::terminal::note;

/// The companion that makes faves, where a rule's folder has one of its own.
const FAVE: &str = "fave.wasm";

#[derive(Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    shared: TrialArgs,
    /// Rewrites case files with what was played. Read what it wrote: that is the test from then on
    #[arg(long)]
    bless: bool,
}

#[derive(Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    shared: TrialArgs,
}

#[derive(Args)]
struct TrialArgs {
    #[command(flatten)]
    place: RulePlace,
    /// A rule that comes before it, with its default settings; may be given again. Without one, a multiplier or formula gets its
    /// faves from fave.wasm, in the rule's folder or in rules/ beside heatd
    #[arg(long = "with", value_name = "FILE.wasm")]
    companions: Vec<PathBuf>,
    /// Shows what the rule writes to the log, such as the message of a panic
    #[arg(long)]
    log: bool,
    /// Answers with JSON
    #[arg(long)]
    json: bool,
}

/// Plays the cases. The exit code is heatd's.
pub(super) fn test(options: &TestArgs) -> Result<ExitCode> {
    let project = options.shared.place.find()?;
    let mut arguments = Vec::new();
    if let Some(cases) = &project.cases {
        arguments.extend(["--cases".into(), cases.into()]);
    }
    if options.bless {
        arguments.push("--bless".into());
    }
    heatd("test", &project, &options.shared, arguments)
}

/// Plays the cases over and over. The exit code is heatd's.
pub(super) fn bench(options: &BenchArgs) -> Result<ExitCode> {
    let project = options.shared.place.find()?;
    heatd("bench", &project, &options.shared, Vec::new())
}

/// Runs `heatd rule` on the component of a folder, which exists for that long only.
fn heatd(
    command: &str,
    project: &Project,
    shared: &TrialArgs,
    arguments: Vec<OsString>,
) -> Result<ExitCode> {
    let folder = tempfile::tempdir().context("failed to make a temporary folder")?;
    let file = folder.path().join(project.built.file_name().unwrap_or("rule.wasm".as_ref()));
    std::fs::write(&file, component::of(project)?)
        .with_context(|| format!("failed to write {}", file.display()))?;
    let program = find_heatd("rules are played")?;
    if let Some(stale) = project.stale() {
        note(&stale);
    }
    let mut heatd = Command::new(&program);
    heatd.args(["rule", command]).arg(&file).args(arguments);
    let own = project.folder.join(FAVE);
    let companions = match shared.companions.as_slice() {
        [] if own.is_file() => vec![own],
        given => given.to_vec(),
    };
    for companion in companions {
        heatd.arg("--with").arg(companion);
    }
    heatd.args(shared.log.then_some("--log")).args(shared.json.then_some("--json"));
    let status =
        heatd.status().with_context(|| format!("failed to start {}", program.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}
