//! `heat rules pack`: a component with its cases, as a file that heatd runs.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use super::component;
use super::project::Place;
use crate::print;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    /// The file to write; by default it is named as the folder is, and lies in it
    #[arg(long, short, value_name = "FILE.wasm")]
    output: Option<PathBuf>,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let project = options.place.find()?;
    let component = component::of(&project)?;
    let file = match &options.output {
        Some(file) => file.clone(),
        None => {
            let folder = project.folder.canonicalize().context("failed to find the folder")?;
            let name = folder.file_name().context("a folder without a name; give --output")?;
            project.folder.join(name).with_extension("wasm")
        }
    };
    std::fs::write(&file, &component)
        .with_context(|| format!("failed to write {}", file.display()))?;
    let size = component.len();
    print(&format!(
        "{} is written, {size} bytes. heatd runs it: copy it into its folder rules/, and name it in heatd.toml\n",
        file.display()
    ))?;
    Ok(())
}
