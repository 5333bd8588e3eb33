//! Runs other programs, and says which ones.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

/// The folder of the project.
pub(crate) fn root() -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).map(PathBuf::from).unwrap_or(manifest)
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A cargo command in the project's folder.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    without_cargo_variables(&mut command);
    command
}

/// Whether builds for this machine are linted.
static LINTS: OnceLock<()> = OnceLock::new();

/// From now on, what is built for this machine is linted while it is built, and a warning is an error.
///
/// `cargo clippy` compiles everything for itself, and all dependencies with it: minutes for nothing that the build would not do
/// again. Clippy's compiler is rustc with more to say, so it can build as well. The variables are those that `cargo clippy` sets.
pub(crate) fn lint_builds() {
    LINTS.get_or_init(|| ());
}

/// A build of what runs on this machine. Rules are not built so: their bytes are to be those of the compiler that everybody has.
pub(crate) fn build_here<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = cargo(arguments);
    if LINTS.get().is_some() {
        command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
        command.env("CLIPPY_ARGS", "--deny__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__");
    }
    command
}

/// What cargo told this program about itself would reach build scripts that look at it (ring's does), and have them and all
/// that links them built again, other than when cargo is called by hand.
pub(crate) fn without_cargo_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

/// Runs a command to its end, with its words on this terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    say(&format!("$ {}", line(command)));
    let status = command.status().with_context(|| format!("failed to start {}", line(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", line(command));
    }
    Ok(())
}

/// What a command prints, or none when it cannot be run or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A line for the person at the terminal.
#[expect(clippy::print_stderr, reason = "a command line tool talks to the terminal")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

fn line(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name =
        program.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
    format!("{name} {}", arguments.join(" "))
}
