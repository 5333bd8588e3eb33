//! Finds what the project needs on this machine, and installs it where it may, saying so.

use std::process::Command;

use anyhow::{Result, bail};

use crate::shell::{output, run, say};

/// Adds a compilation target, if rustup does not have it.
pub(crate) fn wasm_target(target: &str) -> Result<()> {
    let installed = output(Command::new("rustup").args(["target", "list", "--installed"]));
    match installed {
        Some(list) if list.lines().any(|line| line.trim() == target) => Ok(()),
        Some(_) => run(Command::new("rustup").args(["target", "add", target])),
        // Without rustup the distribution's own Rust may have the target; the build says so if it does not.
        None => Ok(()),
    }
}

/// Programs that the tests run, with the Debian package of each.
const PROGRAMS: [(&str, &str); 5] = [
    ("mosquitto", "mosquitto"),
    ("mosquitto_pub", "mosquitto-clients"),
    ("openssl", "openssl"),
    ("xz", "xz-utils"),
    ("python3", "python3"),
];

/// Finds what the tests run, Node.js too.
pub(crate) fn for_tests() -> Result<()> {
    install()?;
    for program in ["node", "npm"] {
        if !found(program) {
            bail!("the tests need {program}; install Node.js (20 or newer)");
        }
    }
    Ok(())
}

/// Installs the programs that the tests run, where this user may: as root, with apt-get.
pub(crate) fn install() -> Result<()> {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !found(program))
        .map(|(_, package)| *package)
        .collect();
    if !missing.is_empty() {
        if !(found("apt-get")
            && output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0"))
        {
            bail!(
                "the tests need {0}; install them, on Debian: sudo apt-get install {0}",
                missing.join(" ")
            );
        }
        say(&format!("installing what the tests need: {}", missing.join(" ")));
        run(Command::new("apt-get").args(["update", "-qq"]))?;
        run(Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(&missing))?;
    }
    Ok(())
}

/// Installs a cargo tool of this version, if there is none.
pub(crate) fn cargo_tool(name: &str, version: &str) -> Result<()> {
    if found(name) {
        return Ok(());
    }
    say(&format!("installing {name}"));
    run(Command::new("cargo").args(["install", "--quiet", "--locked", name, "--version", version]))
}

/// Whether a program is on the path.
pub(crate) fn found(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}
