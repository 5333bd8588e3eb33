//! `heat rules pack`: a component with its cases, as a file that heatd runs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::rule_file::component;
use crate::rule_file::project::{Project, RulePlace};
use crate::terminal::print;

#[derive(Args)]
pub(crate) struct PackArgs {
    #[command(flatten)]
    place: RulePlace,
    /// The file to write; by default it is named as the folder is, and lies in it
    #[arg(long, short, value_name = "FILE.wasm")]
    output: Option<PathBuf>,
}

pub(super) fn run(options: &PackArgs) -> Result<()> {
    let project = options.place.find()?;
    let component = component::of(&project)?;
    let file = match &options.output {
        Some(file) => file.clone(),
        None => own_file(&project)?,
    };
    std::fs::write(&file, &component)
        .with_context(|| format!("failed to write {}", file.display()))?;
    let size = component.len();
    print(&format!(
        "{} is written, {size} bytes. heat rules add puts it on the stream; to keep it in the configuration, copy it into the folder rules/ and name it in heatd.toml\n",
        file.display()
    ))?;
    Ok(())
}

/// The file of a rule's folder: named as the folder is, and lying in it.
fn own_file(project: &Project) -> Result<PathBuf> {
    ensure!(project.described, "which file shall be written? Say it with --output");
    let folder = project.folder.canonicalize().context("failed to find the folder")?;
    let name = folder.file_name().context("a folder without a name; give --output")?;
    let mut file = name.to_owned();
    file.push(".wasm");
    Ok(if project.folder == Path::new(".") { file.into() } else { project.folder.join(file) })
}
