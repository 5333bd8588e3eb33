//! Builds everything that tests run, and lints it, in one call of cargo, so that no core waits between two, and finds the test programs in what it says.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::{Deserializer, Value};

use crate::shell::{self, build_here, cargo, say};

/// A program of tests, as Rust's harness makes them.
#[derive(Debug, PartialEq)]
pub(super) struct TestProgram {
    /// The package, and the target in it where that has another name.
    pub(super) name: String,
    pub(super) file: PathBuf,
    /// The folder of the package, in which cargo starts its tests.
    pub(super) folder: PathBuf,
}

/// Builds the programs, their tests, and the examples that tests run.
pub(super) fn build() -> Result<Vec<TestProgram>> {
    // A library for programs that are started with it. It replaces functions of the C library, and so is for itself.
    shell::run(&mut cargo(["build", "--locked", "--package", "slow-disk"]))?;
    // Benches too: tests run none of them, but they are to go on compiling.
    let mut build = build_here(["build", "--locked", "--workspace", "--all-targets"]);
    say("$ cargo build --locked --workspace --all-targets, linted by clippy");
    build.args(["--message-format", "json-render-diagnostics"]).stdout(Stdio::piped());
    let mut build = build.spawn().context("failed to start cargo")?;
    let printed = build.stdout.take().context("cargo without an output")?;
    let mut programs = Vec::new();
    for message in Deserializer::from_reader(BufReader::new(printed)).into_iter() {
        programs.extend(test_program(&message.context("cargo's answer cannot be read")?));
    }
    let status = build.wait().context("failed to wait for cargo")?;
    if !status.success() {
        bail!("the tests cannot be built: cargo ended with {status}");
    }
    programs.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(programs)
}

/// The test program that a message of cargo names, if it names one.
fn test_program(message: &Value) -> Option<TestProgram> {
    // To cargo a bench is a test, too.
    let is_bench = message["target"]["kind"][0] == "bench";
    let is_test = message["profile"]["test"].as_bool()? && !is_bench;
    let file = message["executable"].as_str().filter(|_| is_test)?;
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    let package = message["package_id"].as_str()?.rsplit(['/', '#']).next()?;
    let package = package.split('@').next().filter(|name| !name.starts_with(char::is_numeric));
    // A package that is named as its folder is has only a version there.
    let package = package.map_or_else(|| folder.file_name()?.to_str(), Some)?;
    let target = message["target"]["name"].as_str()?;
    let is_named_alike = target.replace('_', "-") == package;
    let name = if is_named_alike { package.to_owned() } else { format!("{package}/{target}") };
    Some(TestProgram { name, file: file.into(), folder })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn artifact(package: &str, target: &str, is_test: bool) -> Value {
        json!({
            "reason": "compiler-artifact",
            "package_id": package,
            "manifest_path": "/project/host/heatd/Cargo.toml",
            "target": { "name": target },
            "profile": { "test": is_test },
            "executable": "/project/target/debug/deps/program-0123",
        })
    }

    #[test]
    fn test_programs_are_named_by_package_and_target() {
        let name = |message: Value| test_program(&message).map(|program| program.name);
        let flow = artifact("path+file:///project/tests#heat-tests@0.1.0", "flow", true);
        assert_eq!(name(flow).as_deref(), Some("heat-tests/flow"));
        let heatd = artifact("path+file:///project/host/heatd#0.1.0", "heatd", true);
        assert_eq!(name(heatd).as_deref(), Some("heatd"));
        let engine = artifact("path+file:///p/host/engine#heat-engine@0.1.0", "heat_engine", true);
        assert_eq!(name(engine).as_deref(), Some("heat-engine"));
    }

    #[test]
    fn what_is_no_test_program_is_left_out() {
        let heatd = artifact("path+file:///project/host/heatd#0.1.0", "heatd", false);
        assert_eq!(test_program(&heatd), None);
        let mut bench = artifact("path+file:///project/host/heatd#0.1.0", "heatd", true);
        bench["target"]["kind"] = json!(["bench"]);
        assert_eq!(test_program(&bench), None);
        assert_eq!(test_program(&json!({ "reason": "build-finished", "success": true })), None);
    }
}
