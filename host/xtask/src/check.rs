//! What a change has to pass besides the tests: formatting, lints, licences, layers and advisories.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::shell::{self, cargo, output, root, say};
use crate::tools;

/// The cargo-deny that deny.toml is written for.
const CARGO_DENY: &str = "0.20.2";

/// Runs every check.
pub(crate) fn run() -> Result<()> {
    let lints = ["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    without_lints()?;
    shell::run(&mut cargo(lints))
}

/// The checks that build nothing.
pub(crate) fn without_lints() -> Result<()> {
    shell::run(&mut cargo(["fmt", "--all", "--check"]))?;
    let deny = tools::cargo_deny(CARGO_DENY)?;
    shell::run(cargo_deny(&deny).args(["check", "bans", "licenses", "sources"]))?;
    advisories(&deny)
}

fn cargo_deny(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Asks the database of advisories, where it can be reached: nothing here may fail for want of a network.
fn advisories(deny: &Path) -> Result<()> {
    if output(cargo_deny(deny).args(["fetch", "db"])).is_none() {
        say(
            "!!! NOT CHECKED: advisories, because the advisory database cannot be reached from here",
        );
        return Ok(());
    }
    shell::run(cargo_deny(deny).args(["check", "advisories"]))
}
