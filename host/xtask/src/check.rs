//! What a change has to pass besides the tests: formatting, lints, licences and advisories.

use anyhow::Result;

use crate::shell::{self, cargo};
use crate::tools;

/// The cargo-deny that the configuration in deny.toml is written for.
const CARGO_DENY: &str = "0.19";

/// Runs every check.
pub(crate) fn run() -> Result<()> {
    shell::run(&mut cargo(["fmt", "--all", "--check"]))?;
    lints()?;
    tools::cargo_tool("cargo-deny", CARGO_DENY)?;
    shell::run(&mut cargo(["deny", "--all-features", "check"]))
}

/// Clippy, with warnings as errors, over the host programs and their tests.
pub(crate) fn lints() -> Result<()> {
    shell::run(&mut cargo([
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]))
}
