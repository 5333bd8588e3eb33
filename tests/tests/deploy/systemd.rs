//! The units: systemd understands them, finds them tight, and the configuration beside them is one that heatd takes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use heat_tests::processes::binaries;

use crate::town::Town;
use crate::{read, replace};

/// systemd's measure of what a service may do, from 0 (nothing) to 100. What remains of heatd's 15 is the network, and that it
/// may lower the priority of its own threads.
const EXPOSURE: u32 = 15;

fn analyze(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).current_dir(folder).env("XDG_RUNTIME_DIR", folder);
    let output = command
        .output()
        .context("systemd-analyze is needed; on Debian: apt-get install systemd")?;
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words).into_owned();
    ensure!(output.status.success(), "systemd-analyze {arguments:?}: {words}");
    Ok(words)
}

#[test]
fn the_unit_of_heatd_is_understood_and_tight() -> Result<()> {
    let town = Town::new()?;
    let unit = read("systemd/heatd.service")?;
    let heatd = binaries()?.heatd.display().to_string();
    let unit = replace(&unit, "/opt/heat-level/heatd", &heatd)?;
    std::fs::write(town.path("heatd.service"), unit)?;
    let words = analyze(town.folder.path(), &["verify", "--man=no", "./heatd.service"])?;
    ensure!(!words.contains("heatd.service"), "{words}");
    let threshold = format!("--threshold={EXPOSURE}");
    analyze(town.folder.path(), &["security", "--offline=true", &threshold, "./heatd.service"])?;
    Ok(())
}

#[test]
fn the_unit_of_heat_writer_is_understood() -> Result<()> {
    let town = Town::new()?;
    let unit = read("systemd/heat-writer.service")?;
    let writer = binaries()?.writer.display().to_string();
    let unit = replace(&unit, "%h/.local/bin/heat-writer", &writer)?;
    std::fs::write(town.path("heat-writer.service"), unit)?;
    let arguments = ["--user", "verify", "--man=no", "./heat-writer.service"];
    let words = analyze(town.folder.path(), &arguments)?;
    ensure!(!words.contains("heat-writer.service"), "{words}");
    Ok(())
}

#[test]
fn memory_may_become_executable_for_heatd_and_not_for_the_writer() -> Result<()> {
    ensure!(read("systemd/heatd.service")?.contains("\nMemoryDenyWriteExecute=no\n"));
    ensure!(read("systemd/heat-writer.service")?.contains("\nMemoryDenyWriteExecute=yes\n"));
    Ok(())
}

#[test]
fn the_configuration_beside_the_unit_is_right_and_agrees_with_it() -> Result<()> {
    let town = Town::new()?;
    let (unit, configuration) = (read("systemd/heatd.service")?, read("systemd/heatd.toml")?);
    ensure!(unit.contains("\nStateDirectory=heatd\n"));
    ensure!(unit.contains("\nLoadCredential=heatd.password:"));
    std::fs::write(town.path("password"), "secret\n")?;
    let password = town.path("password").display().to_string();
    let credential = "/run/credentials/heatd.service/heatd.password";
    let configuration = replace(&configuration, credential, &password)?;
    crate::container::check(&town, &configuration, "/var/lib/heatd")
}
