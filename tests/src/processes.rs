//! Real programs: started, watched, and ended in the kind and in the hard way.

mod ports;
mod program;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;

use anyhow::{Context, Result, bail, ensure};

pub use ports::free_port;
pub use program::{Program, Signal};

/// Runs a program to its end with this input, and returns what it printed. A bad exit code is an error with its words.
pub fn run(mut command: Command, input: &[u8]) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| failed_to_start(&name))?;
    let mut stdin = child.stdin.take().context("a program without an input")?;
    let output = thread::scope(|scope| {
        // A program need not read its input; that is no failure of it.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output()
    })?;
    if !output.status.success() {
        bail!(
            "{name} failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(output)
}

/// This thread gives way to those of usual priority, as heatd's replays do. On Linux the niceness is of the thread alone.
#[cfg(target_os = "linux")]
pub fn give_way() -> Result<()> {
    rustix::process::nice(10).context("failed to be nice")?;
    Ok(())
}

/// Elsewhere the niceness is of the whole process, and nothing is measured.
#[cfg(not(target_os = "linux"))]
pub fn give_way() -> Result<()> {
    Ok(())
}

fn failed_to_start(name: &str) -> String {
    format!("failed to start {name}; `cargo xtask test` installs what the tests need")
}

/// The programs under test.
#[derive(Debug, Clone)]
pub struct Binaries {
    pub heatd: PathBuf,
    pub writer: PathBuf,
    pub heat: PathBuf,
}

/// Finds the built programs beside the running test.
pub fn binaries() -> Result<Binaries> {
    Ok(Binaries { heatd: binary("heatd")?, writer: binary("heat-writer")?, heat: binary("heat")? })
}

/// Finds one built program beside the running test.
pub fn binary(name: &str) -> Result<PathBuf> {
    let path = build_folder()?.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    ensure!(
        path.is_file(),
        "{name} is not built: no file {}; `cargo xtask test` builds it first",
        path.display()
    );
    Ok(path)
}

/// The library that makes the disk slow for a program that is started with `LD_PRELOAD`.
pub fn slow_disk() -> Result<PathBuf> {
    let path = build_folder()?.join("libslow_disk.so");
    ensure!(
        path.is_file(),
        "the slow disk is not built: no file {}; `cargo xtask test` builds it first, or \
         `cargo build --package slow-disk`",
        path.display()
    );
    Ok(path)
}

/// The folder of the build that the running program is of: `target/debug`, for a test as for any other program.
pub(crate) fn build_folder() -> Result<PathBuf> {
    let program = std::env::current_exe().context("failed to find the running program")?;
    let folder = program.parent().context("a program without a folder")?;
    let is_test = folder.ends_with("deps");
    Ok(folder.parent().filter(|_| is_test).unwrap_or(folder).to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_of_both_outputs_are_kept() -> Result<()> {
        let mut program =
            Program::start(shell("echo one; echo two >&2; exec cat /dev/zero > /dev/null"))?;
        program.wait_for_line(|line| line == "two")?;
        assert_eq!(program.wait_for_line(|line| line.starts_with("on"))?, "one");
        assert!(program.is_running());
        program.kill()?;
        assert!(!program.is_running());
        Ok(())
    }

    #[test]
    fn a_program_that_ends_early_is_an_error_with_its_words() -> Result<()> {
        let program = Program::start(shell("echo cannot open the store >&2; exit 3"))?;
        let error =
            program.wait_for_line(|line| line == "ready").map_err(|error| error.to_string());
        assert!(
            error.as_ref().is_err_and(|error| error.contains("cannot open the store")),
            "{error:?}"
        );
        Ok(())
    }

    #[test]
    fn terminate_asks_and_waits() -> Result<()> {
        let mut program =
            Program::start(shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"))?;
        program.wait_for_line(|line| line == "ready")?;
        assert_eq!(program.terminate()?.code(), Some(7));
        assert!(program.terminate().is_err());
        Ok(())
    }

    #[test]
    fn run_gives_input_and_returns_output_or_the_reason() -> Result<()> {
        assert_eq!(run(shell("cat"), b"pie")?.stdout, b"pie");
        let error = run(shell("echo no pie >&2; exit 2"), &[]).map_err(|error| error.to_string());
        assert!(error.as_ref().is_err_and(|error| error.contains("no pie")), "{error:?}");
        Ok(())
    }

    #[test]
    fn a_program_that_was_not_built_says_how_to_build_it() {
        let error = binary("no-such-program").map_err(|error| error.to_string());
        assert!(error.as_ref().is_err_and(|error| error.contains("cargo xtask test")), "{error:?}");
    }
}
