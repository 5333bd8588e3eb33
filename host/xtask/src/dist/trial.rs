//! Starts what was packed, as far as this machine can: on it, under qemu, under wine.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use heat_tests::mosquitto::Mosquitto;
use heat_tests::patience::eventually;
use heat_tests::processes::Program;

use super::programs::Target;
use crate::shell::{root, run, say, target as target_folder};
use crate::tools;

/// What runs programs for other systems. Not part of the tests: wine brings half a gigabyte.
const FOR_WINDOWS: [(&str, &str); 2] = [("wine", "wine"), ("/usr/lib/wine/wine64", "wine64")];
const FOR_ARM64: [(&str, &str); 1] = [("qemu-aarch64", "qemu-user")];
const FOR_ALL: [(&str, &str); 2] =
    [("mosquitto", "mosquitto"), ("mosquitto_pub", "mosquitto-clients")];

/// Lets heatd load the packed rules by the packed configuration, and heat-writer replace a text.
pub(super) fn start(target: &Target, folder: &Path) -> Result<()> {
    tools::install("the trial", &FOR_ALL)?;
    if target.triple == tools::ARM64 {
        tools::install("the trial of ARM64", &FOR_ARM64)?;
    }
    if target.windows {
        tools::install("the trial of Windows", &FOR_WINDOWS)?;
        prepare_wine()?;
    } else {
        let mut check = runner(target, &folder.join("heatd"));
        run(check.args(["check", "--config", "heatd.toml"]).current_dir(folder))?;
    }
    let program = target.file("heat");
    if folder.join(&program).is_file() {
        run(runner(target, &folder.join(program)).arg("--version"))?;
    }
    writer(target, folder)
}

/// A command that runs a program for this target.
fn runner(target: &Target, program: &Path) -> Command {
    if target.windows {
        let mut wine = wine();
        wine.arg(program);
        wine
    } else if target.triple.starts_with(std::env::consts::ARCH) {
        Command::new(program)
    } else {
        let mut qemu = Command::new("qemu-aarch64");
        qemu.args(["-L", "/usr/aarch64-linux-gnu"]).arg(program);
        qemu
    }
}

/// Wine with a Windows of its own, below the build folder.
fn wine() -> Command {
    let mut wine = Command::new("wine");
    wine.env("WINEPREFIX", target_folder().join("wine")).env("WINEDEBUG", "-all");
    wine
}

/// Makes that Windows, which takes a while, and adds what Wine before version 9 lacks.
fn prepare_wine() -> Result<()> {
    run(wine().args(["wineboot", "--init"]))?;
    let library = target_folder().join("wine/drive_c/windows/system32/bcryptprimitives.dll");
    if library.is_file() {
        return Ok(());
    }
    let source = root().join("host/xtask/src/dist/bcryptprimitives.c");
    run(Command::new("x86_64-w64-mingw32-gcc")
        .args(["-shared", "-o"])
        .arg(library)
        .arg(source)
        .arg("-ladvapi32"))
}

/// heat-writer shows a value, and replaces it by the next.
fn writer(target: &Target, folder: &Path) -> Result<()> {
    let broker = Mosquitto::start()?;
    broker.publish("heat/v1/seaside/heat", "7", true, 1)?;
    let scratch = target_folder().join("trial");
    std::fs::create_dir_all(&scratch)?;
    let file = scratch.join("heat.txt");
    std::fs::write(&file, "before")?;
    let mut command = runner(target, &folder.join(target.file("heat-writer")));
    command.args(["--broker", &format!("127.0.0.1:{}", broker.port()), "--every", "0s"]);
    command.args(["--file", "heat.txt"]).current_dir(&scratch);
    let writer = Program::start(command)?;
    wait_for_text(&writer, &file, "🔥 HEAT LEVEL: 7")?;
    broker.publish("heat/v1/seaside/heat", "8", true, 1)?;
    wait_for_text(&writer, &file, "🔥 HEAT LEVEL: 8")?;
    let left: Vec<_> = std::fs::read_dir(&scratch)?.collect::<Result<_, _>>()?;
    ensure!(left.len() == 1, "heat-writer left {left:?} beside its file");
    drop(writer);
    std::fs::remove_dir_all(&scratch).context("failed to remove the folder of the trial")?;
    say(&format!("  {} replaces its text", target.file("heat-writer")));
    Ok(())
}

fn wait_for_text(writer: &Program, file: &Path, text: &str) -> Result<()> {
    let found = eventually(format!("{text:?} in {}", file.display()), || {
        match std::fs::read_to_string(file) {
            Ok(found) if found == text => Ok(()),
            Ok(found) => Err(format!("{found:?}")),
            Err(error) => Err(error.to_string()),
        }
    });
    found.with_context(|| format!("heat-writer said:\n{}", writer.lines().join("\n")))
}
