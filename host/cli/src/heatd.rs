//! The program heatd, for what heat has it do without a heatd that runs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// heatd lies beside heat, or where programs lie. `what` is it that needs it.
pub(crate) fn find_heatd(what: &str) -> Result<PathBuf> {
    let name = format!("heatd{}", std::env::consts::EXE_SUFFIX);
    let own = std::env::current_exe().context("failed to find the running program")?;
    let beside = own.parent().map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = beside.into_iter().chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(&name)).find(|file| file.is_file()).with_context(|| {
        format!(
            "{what} by heatd, and there is no {name} beside {} or on the PATH; the archives for Linux have both programs",
            own.display()
        )
    })
}
