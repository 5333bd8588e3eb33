//! What a change has to pass besides the tests: formatting, lints, licences, layers and advisories.

use anyhow::Result;

use crate::shell::{self, cargo, output, say};
use crate::tools;

/// The cargo-deny that deny.toml is written for.
const CARGO_DENY: &str = "0.20.2";

/// Runs every check.
pub(crate) fn run() -> Result<()> {
    shell::run(&mut cargo(["fmt", "--all", "--check"]))?;
    let lints = ["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    shell::run(&mut cargo(lints))?;
    tools::cargo_tool("cargo-deny", CARGO_DENY)?;
    shell::run(&mut cargo(["deny", "check", "bans", "licenses", "sources"]))?;
    advisories()
}

/// Asks the database of advisories, where it can be reached: nothing here may fail for want of a network.
fn advisories() -> Result<()> {
    if output(&mut cargo(["deny", "fetch", "db"])).is_none() {
        say(
            "!!! NOT CHECKED: advisories, because the advisory database cannot be reached from here",
        );
        return Ok(());
    }
    shell::run(&mut cargo(["deny", "check", "advisories"]))
}
