//! Which programs are built, for whom, and how.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::builder::PossibleValuesParser;

use crate::shell::{cargo, run, target};
use crate::tools::{self, ARM64, WINDOWS};

/// One archive.
pub(super) struct Target {
    pub(super) triple: &'static str,
    pub(super) windows: bool,
}

pub(super) const TARGETS: [Target; 3] = [
    Target { triple: ARM64, windows: false },
    Target { triple: "x86_64-unknown-linux-gnu", windows: false },
    Target { triple: WINDOWS, windows: true },
];

/// For the command line.
pub(super) fn names() -> PossibleValuesParser {
    TARGETS.iter().map(|target| target.triple).collect::<Vec<_>>().into()
}

/// What there is to build.
pub(super) struct Workspace {
    pub(super) version: String,
    pub(super) packages: Vec<String>,
}

/// A program: its package, its name, the profile that it is built with, and whether Windows gets it too.
struct Recipe {
    package: &'static str,
    name: &'static str,
    profile: &'static str,
    windows: bool,
}

/// heatd compiles rules and is built to be fast; the others are built to be small.
const RECIPES: [Recipe; 3] = [
    Recipe { package: "heatd", name: "heatd", profile: "release", windows: false },
    Recipe { package: "heat-cli", name: "heat", profile: "writer", windows: true },
    Recipe { package: "heat-writer", name: "heat-writer", profile: "writer", windows: true },
];

impl Target {
    /// The name of a program's file.
    pub(super) fn file(&self, name: &str) -> String {
        if self.windows { format!("{name}.exe") } else { name.to_owned() }
    }

    /// Every program that this target gets and the workspace has.
    fn recipes(&self, workspace: &Workspace) -> Vec<&'static Recipe> {
        RECIPES
            .iter()
            .filter(|recipe| recipe.windows || !self.windows)
            .filter(|recipe| workspace.packages.iter().any(|name| name == recipe.package))
            .collect()
    }

    /// The packages of these programs.
    pub(super) fn packages(&self, workspace: &Workspace) -> Vec<&'static str> {
        self.recipes(workspace).iter().map(|recipe| recipe.package).collect()
    }

    /// Builds the programs. Returns their files.
    pub(super) fn build(&self, workspace: &Workspace) -> Result<Vec<PathBuf>> {
        let recipes = self.recipes(workspace);
        ensure!(!recipes.is_empty(), "there is nothing to build for {}", self.triple);
        for profile in ["release", "writer"] {
            let packages: Vec<&str> = recipes
                .iter()
                .filter(|recipe| recipe.profile == profile)
                .flat_map(|recipe| ["--package", recipe.package])
                .collect();
            if !packages.is_empty() {
                let build = ["build", "--locked", "--profile", profile, "--target", self.triple];
                run(cargo(build).args(packages).envs(tools::linker()))?;
            }
        }
        let folder = target().join(self.triple);
        Ok(recipes
            .iter()
            .map(|recipe| folder.join(recipe.profile).join(self.file(recipe.name)))
            .collect())
    }
}
