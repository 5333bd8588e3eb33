//! Lays the files of an archive out in a folder, and packs it: the same content gives the same bytes, whenever and by whom.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::programs::Target;
use crate::rules::languages;
use crate::shell::{output, root, run};

/// What packs, with the Debian package of each.
pub(super) const NEEDS: [(&str, &str); 5] = [
    ("tar", "tar"),
    ("gzip", "gzip"),
    ("zip", "zip"),
    ("sha256sum", "coreutils"),
    ("readelf", "binutils"),
];

/// The time of every file in an archive: none of them says when it was made. Zip knows no earlier year than 1980.
const TIME: &str = "1980-01-01 00:00:00 UTC";

/// Files of the project that every archive has, and its name for each.
const FILES: [(&str, &str); 3] = [
    ("host/writer/writer.toml", "writer.toml"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("LICENSE-MIT", "LICENSE-MIT"),
];

/// What heatd needs besides.
const FOR_HEATD: [&str; 3] = ["deploy", "docs/pi.md", "docs/k3s.md"];

/// Puts everything into a folder, which is emptied first.
pub(super) fn lay_out(
    target: &Target,
    programs: &[PathBuf],
    rules: &Path,
    notices: &str,
    folder: &Path,
) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("failed to empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder)?;
    for program in programs {
        copy(program, &folder.join(program.file_name().context("a program without a name")?))?;
    }
    for (file, name) in FILES {
        copy(&root().join(file), &folder.join(name))?;
    }
    if !target.windows {
        copy(&root().join("host/heatd/heatd.toml"), &folder.join("heatd.toml"))?;
        copy(rules, &folder.join("rules"))?;
        leave_out_other_languages(&folder.join("rules"))?;
        for file in FOR_HEATD {
            copy(&root().join(file), &folder.join(file))?;
        }
    }
    std::fs::write(folder.join("INSTALL.txt"), install_text(target))?;
    std::fs::write(folder.join("LICENSES-OTHERS.txt"), notices)?;
    let files: Vec<PathBuf> =
        files(folder)?.into_iter().filter(|file| !file.ends_with("SHA256SUMS")).collect();
    sums(folder, &files)?;
    Ok(())
}

/// The rules that are not in Rust show how it is done, and are too large for an archive. They lie there if they were built.
fn leave_out_other_languages(rules: &Path) -> Result<()> {
    for name in languages::names()? {
        let file = rules.join(format!("{name}.wasm"));
        if file.is_file() {
            std::fs::remove_file(&file)
                .with_context(|| format!("failed to remove {}", file.display()))?;
        }
    }
    Ok(())
}

/// A file, or a folder with everything in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("failed to copy {}", from.display());
    if !from.is_dir() {
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder)?;
        }
        return std::fs::copy(from, to).map(|_| ()).with_context(failed);
    }
    for entry in std::fs::read_dir(from).with_context(failed)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Every file below a folder, by its path from there, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut waiting) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push(path.strip_prefix(folder)?.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Packs a folder below another one. Returns the archive.
pub(super) fn pack(target: &Target, dist: &Path, name: &str) -> Result<PathBuf> {
    let ending = if target.windows { "zip" } else { "tar.gz" };
    let file = dist.join(format!("{name}.{ending}"));
    if file.exists() {
        std::fs::remove_file(&file)?;
    }
    let mut pack = if target.windows {
        // Zip keeps times of the files themselves, by the clock on the wall.
        let mut touch = Command::new("find");
        touch.args([name, "-exec", "touch", "--no-dereference", "--date", TIME, "{}", "+"]);
        ensure!(touch.current_dir(dist).status()?.success(), "failed to set times of {name}");
        let mut zip = Command::new("zip");
        zip.args(["-q", "-X", "-9"]).arg(&file).env("TZ", "UTC");
        // In the order of the list, where `-r` takes that of the disk.
        zip.args(files(&dist.join(name))?.iter().map(|file| Path::new(name).join(file)));
        zip
    } else {
        let mut tar = Command::new("tar");
        tar.args(["--sort=name", "--format=ustar", "--mtime", TIME, "--mode=u+rw,go+r,go-w,a+X"]);
        tar.args(["--owner=0", "--group=0", "--numeric-owner", "--use-compress-program=gzip -9n"]);
        tar.arg("--create").arg("--file").arg(&file).arg(name);
        tar
    };
    run(pack.current_dir(dist))?;
    Ok(file)
}

/// The archives of this version in a folder, also those that were made before.
pub(super) fn packed(dist: &Path, version: &str) -> Result<Vec<PathBuf>> {
    let start = format!("heat-level-{version}-");
    let mut archives = Vec::new();
    for entry in std::fs::read_dir(dist)? {
        let name = PathBuf::from(entry?.file_name());
        let ours = name.to_string_lossy().starts_with(&start);
        if ours && name.extension().is_some_and(|ending| ending == "gz" || ending == "zip") {
            archives.push(name);
        }
    }
    archives.sort();
    Ok(archives)
}

/// Writes SHA256SUMS for these files of a folder, as `sha256sum --check` reads it, and returns its text.
pub(super) fn sums(folder: &Path, files: &[PathBuf]) -> Result<String> {
    let mut sums = Command::new("sha256sum");
    let text = output(sums.arg("--").args(files).current_dir(folder))
        .with_context(|| format!("failed to read the files in {}", folder.display()))?;
    std::fs::write(folder.join("SHA256SUMS"), &text)?;
    Ok(text)
}

/// Notepad of an older Windows knows no other line ends.
fn install_text(target: &Target) -> String {
    if target.windows {
        include_str!("install-windows.txt").replace('\n', "\r\n")
    } else {
        include_str!("install-linux.txt").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::programs::TARGETS;

    /// Packs made-up programs and rules below a folder, with a file that was made on some day. Returns the bytes of the archive, and the folder that was packed.
    fn packed_in(folder: &Path, target: &Target, day: u64) -> Result<(Vec<u8>, PathBuf)> {
        let (built, dist) = (folder.join("built"), folder.join("dist"));
        std::fs::create_dir_all(built.join("rules"))?;
        std::fs::write(built.join("rules/fave.wasm"), "a rule")?;
        let program = built.join(target.file("heat-writer"));
        std::fs::write(&program, "a program")?;
        lay_out(target, &[program], &built.join("rules"), "notices", &dist.join("heat"))?;
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs((20_000 + day) * 86_400);
        std::fs::File::options()
            .write(true)
            .open(dist.join("heat/writer.toml"))?
            .set_modified(time)?;
        let file = pack(target, &dist, "heat")?;
        Ok((std::fs::read(file)?, dist.join("heat")))
    }

    #[test]
    fn the_same_content_gives_the_same_bytes_and_passes_its_sums() -> Result<()> {
        let base = crate::shell::target().join("archive-test");
        for target in &TARGETS {
            let (once, again) = (base.join("once"), base.join("again"));
            let (first, _) = packed_in(&once, target, 1)?;
            let (second, folder) = packed_in(&again, target, 2)?;
            ensure!(first == second, "{} differs from time to time", target.triple);
            let mut check = Command::new("sha256sum");
            check.args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&folder);
            ensure!(check.status()?.success(), "the sums are wrong");
            assert_eq!(folder.join("rules/fave.wasm").is_file(), !target.windows);
            assert_eq!(folder.join("deploy/systemd/heatd.service").is_file(), !target.windows);
            std::fs::remove_dir_all(&base)?;
        }
        Ok(())
    }
}
