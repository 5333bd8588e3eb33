//! `heat restore`: has heatd put a backup into the place of its store, or list the backups that there are.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::find::FOLDERS;
use crate::heatd::find_heatd;

/// Stands below the help.
const AFTER_HELP: &str = "\
Examples:
  heat restore --data /var/lib/heatd
  heat restore /mnt/nas/heat/heat-2026-11-20.redb --data /var/lib/heatd

heatd must not run meanwhile. The backup is verified first, and the store that is there is kept
under another name. docs/backup.md has all of it step by step.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct RestoreArgs {
    /// The backup. Without it, the backups that there are are listed.
    file: Option<PathBuf>,
    /// heatd's data folder, when it is neither HEAT_DATA nor one of the usual ones. It is made if there is none.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Where backups are listed from; by default the folder backups in the data folder.
    #[arg(long, value_name = "FOLDER", conflicts_with = "file")]
    from: Option<PathBuf>,
    /// Answers with JSON.
    #[arg(long)]
    json: bool,
}

/// Runs `heatd restore`. The exit code is heatd's.
pub(crate) fn run(options: &RestoreArgs) -> Result<ExitCode> {
    let said = env::var_os("HEAT_DATA").filter(|value| !value.is_empty()).map(PathBuf::from);
    let usual = || FOLDERS.map(PathBuf::from).into_iter().find(|it| it.join("heat.redb").exists());
    let data = options.data.clone().or(said).or_else(usual);
    let data = data
        .context("which heatd? --data names its data folder, as `data` in its heatd.toml does")?;
    let program = find_heatd("backups are restored")?;
    let mut heatd = Command::new(&program);
    heatd.arg("restore").arg("--data").arg(data);
    if let Some(from) = &options.from {
        heatd.arg("--from").arg(from);
    }
    heatd.args(options.json.then_some("--json")).args(&options.file);
    let status =
        heatd.status().with_context(|| format!("failed to start {}", program.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}
