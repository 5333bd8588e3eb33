//! Builds what people install: an archive for each target, into target/dist.
//!
//! Reading order: [`programs`] says what is built for whom, [`symbols`] makes sure that it starts on the systems it is for,
//! [`notices`] collects the licences of what it links, [`archive`] packs it so that the same content gives the same bytes,
//! [`trial`] starts it here, as far as that can be done.

mod archive;
mod notices;
mod programs;
mod symbols;
mod trial;

use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use crate::shell::{cargo, output, say, target};
use crate::{page, rules, tools};
use programs::{Target, Workspace};

#[derive(Args)]
pub(crate) struct Options {
    /// Builds for this target only; may be given again.
    #[arg(long = "target", value_name = "TARGET", value_parser = programs::names())]
    targets: Vec<String>,
    /// Starts what was packed: heatd for ARM64 under qemu, heat-writer for Windows under wine.
    #[arg(long)]
    check: bool,
}

/// Builds, packs, and says what came of it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let workspace = workspace()?;
    let all = options.targets.is_empty();
    let targets: Vec<&Target> = programs::TARGETS
        .iter()
        .filter(|target| all || options.targets.iter().any(|name| name == target.triple))
        .collect();
    say(&format!(
        "building for {} targets; each with heatd takes six minutes or more on two cores",
        targets.len()
    ));
    for target in &targets {
        tools::for_target(target.triple)?;
    }
    tools::install("packing", &archive::NEEDS)?;
    let rules = rules::build_alone()?;
    page::build()?;
    let folder = target().join("dist");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to make {}", folder.display()))?;
    for (number, target) in (1..).zip(&targets) {
        say(&format!("[{number}/{}] {}", targets.len(), target.triple));
        make(target, &workspace, &rules, &folder, options.check)?;
    }
    let sums = archive::sums(&folder, &archive::packed(&folder, &workspace.version)?)?;
    say(&format!("\n{}:\n{sums}", folder.display()));
    Ok(())
}

fn make(
    target: &Target,
    workspace: &Workspace,
    rules: &Path,
    dist: &Path,
    check: bool,
) -> Result<()> {
    let built = target.build(workspace)?;
    for program in &built {
        symbols::check(target, program)?;
    }
    let name = format!("heat-level-{}-{}", workspace.version, target.triple);
    let folder = dist.join(&name);
    let notices = notices::of(target, &target.packages(workspace))?;
    archive::lay_out(target, &built, rules, &notices, &folder)?;
    let file = archive::pack(target, dist, &name)?;
    let size = std::fs::metadata(&file)?.len() >> 10;
    say(&format!("  {} ({size} KiB)", file.display()));
    if check {
        trial::start(target, &folder)?;
    }
    Ok(())
}

/// What the workspace is made of, as cargo knows it.
fn workspace() -> Result<Workspace> {
    let mut metadata = cargo(["metadata", "--no-deps", "--format-version", "1", "--locked"]);
    let text = output(&mut metadata).context("cargo cannot read the workspace")?;
    let value: Value = serde_json::from_str(&text).context("cargo's answer cannot be read")?;
    let packages = value["packages"].as_array().context("cargo names no packages")?;
    let text = |package: &Value, key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let heatd = packages.iter().find(|package| package["name"] == "heatd");
    Ok(Workspace {
        version: heatd.map(|heatd| text(heatd, "version")).context("there is no heatd")?,
        packages: packages.iter().map(|package| text(package, "name")).collect(),
    })
}
