//! What a program needs of the system that it will run on: a C library that is not too new, or nothing but Windows' own libraries.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::programs::Target;
use crate::shell::{output, say};

/// The C library of Debian 12, which is also that of Raspberry Pi OS "bookworm".
const GLIBC: (u32, u32) = (2, 36);

/// Libraries that come with the compiler and not with Windows.
const FOREIGN: [&str; 3] = ["libgcc", "libstdc++", "libwinpthread"];

/// Refuses a program that would not start where it is for.
pub(super) fn check(target: &Target, program: &Path) -> Result<()> {
    if target.windows { libraries(program) } else { glibc(program) }
}

fn glibc(program: &Path) -> Result<()> {
    let mut readelf = Command::new("readelf");
    let needs = output(readelf.args(["--version-info", "--wide"]).arg(program).env("LC_ALL", "C"))
        .with_context(|| format!("readelf (binutils) cannot read {}", program.display()))?;
    let highest = needs
        .split_whitespace()
        .filter_map(version)
        .max()
        .with_context(|| format!("{} needs no C library at all?", program.display()))?;
    let (major, minor) = highest;
    say(&format!("  {} needs glibc {major}.{minor}", name(program)));
    ensure!(
        highest <= GLIBC,
        "{} needs glibc {major}.{minor}, and Debian 12 has {}.{}: build it on Debian 12",
        program.display(),
        GLIBC.0,
        GLIBC.1
    );
    Ok(())
}

/// The number in `GLIBC_2.34`; in `GLIBC_2.2.5` it is 2.2.
fn version(word: &str) -> Option<(u32, u32)> {
    let mut numbers = word.strip_prefix("GLIBC_")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn libraries(program: &Path) -> Result<()> {
    let mut objdump = Command::new("x86_64-w64-mingw32-objdump");
    let headers = output(objdump.arg("--private-headers").arg(program))
        .with_context(|| format!("objdump (mingw-w64) cannot read {}", program.display()))?;
    let libraries: Vec<&str> =
        headers.lines().filter_map(|line| line.trim().strip_prefix("DLL Name: ")).collect();
    ensure!(!libraries.is_empty(), "{} names no libraries", program.display());
    say(&format!("  {} needs {}", name(program), libraries.join(" ")));
    for library in libraries {
        ensure!(
            !FOREIGN.iter().any(|foreign| library.to_lowercase().starts_with(foreign)),
            "{} needs {library}, which Windows does not have",
            program.display()
        );
    }
    Ok(())
}

fn name(program: &Path) -> String {
    program.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("GLIBC_2.2.5"), Some((2, 2)));
        assert!(version("GLIBC_2.34") > version("GLIBC_2.4"));
        assert!(version("GLIBC_2.36") <= Some(GLIBC) && version("GLIBC_2.38") > Some(GLIBC));
        assert_eq!(version("GCC_3.0"), None);
    }

    #[test]
    fn a_program_of_this_machine_has_a_version_that_can_be_read() -> Result<()> {
        let this = std::env::current_exe()?;
        let needs = output(Command::new("readelf").args(["--version-info", "--wide"]).arg(this));
        let needs = needs.context("no readelf")?;
        assert!(needs.split_whitespace().filter_map(version).max() >= Some((2, 17)));
        Ok(())
    }
}
