//! Builds the rules that are written in JavaScript and Python. Their packages are installed below the target folder, and what has
//! not changed is not built again: both need seconds, and their compilers hundreds of megabytes.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::shell::{root, run, say, target};
use crate::tools;

/// How a rule is built, which its folder tells.
#[derive(Clone, Copy, PartialEq)]
enum Language {
    /// By `npm run build` of its package.json.
    JavaScript,
    /// By its build.py, with what its requirements.txt names.
    Python,
}

impl Language {
    fn of(folder: &Path) -> Option<Self> {
        if folder.join("package.json").is_file() {
            Some(Self::JavaScript)
        } else if folder.join("requirements.txt").is_file() {
            Some(Self::Python)
        } else {
            None
        }
    }
}

/// The rules that are not crates, by folder, which is the component's name too.
pub(crate) fn names() -> Result<Vec<String>> {
    Ok(rules()?.into_iter().map(|(name, _)| name).collect())
}

/// Builds those that have changed, beside the rules in Rust.
pub(crate) fn build() -> Result<()> {
    for (name, language) in rules()? {
        let folder = root().join("rules").join(&name);
        let component = target().join("rules").join(format!("{name}.wasm"));
        let stamp = target().join("languages").join(format!("{name}.stamp"));
        let inputs = format!("{:016x}", inputs(&folder)?);
        let is_new = std::fs::read_to_string(&stamp).is_ok_and(|built| built == inputs);
        if is_new && component.is_file() {
            say(&format!("  {}: unchanged", component.display()));
            continue;
        }
        let built = match language {
            Language::JavaScript => run(by_npm(&name, &folder)?.arg("--out").arg(&component)),
            Language::Python => run(by_python(&folder)?.arg(&component)),
        };
        built.with_context(|| format!("failed to build the rule in {}", folder.display()))?;
        ensure!(component.is_file(), "{} was not made", component.display());
        std::fs::write(&stamp, inputs)
            .with_context(|| format!("failed to write {}", stamp.display()))?;
        forget_compiled();
    }
    Ok(())
}

/// The tests keep compiled code, a file of up to 45 MB for each component. That of one that is gone is of no more use.
fn forget_compiled() {
    // Where there is none, none has to go.
    let _ = std::fs::remove_dir_all(target().join("compiled"));
}

fn rules() -> Result<Vec<(String, Language)>> {
    let mut rules = Vec::new();
    for entry in std::fs::read_dir(root().join("rules")).context("failed to read rules")? {
        let folder = entry?.path();
        if let (Some(name), Some(language)) = (folder.file_name(), Language::of(&folder)) {
            rules.push((name.to_string_lossy().into_owned(), language));
        }
    }
    rules.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(rules)
}

/// The packages go below target, and npm finds their programs by the path: the rule's own folder stays as it is.
fn by_npm(name: &str, folder: &Path) -> Result<Command> {
    ensure!(
        tools::found("node") && tools::found("npm"),
        "rules in JavaScript need npm; install Node.js (20 or newer)"
    );
    let packages = target().join("languages").join(name);
    std::fs::create_dir_all(&packages)
        .with_context(|| format!("failed to make {}", packages.display()))?;
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(folder.join(file), packages.join(file))
            .with_context(|| format!("{name} lacks its {file}"))?;
    }
    // Not `npm ci`: that fails where a registry lacks the packages of other systems, which nobody needs here.
    let install = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
    run(Command::new("npm").args(install).current_dir(&packages))?;
    let mut path: Vec<PathBuf> = vec![packages.join("node_modules/.bin")];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut build = Command::new("npm");
    build.args(["run", "--silent", "build", "--"]).env("PATH", joined(&path)?).current_dir(folder);
    Ok(build)
}

fn joined(paths: &[PathBuf]) -> Result<OsString> {
    std::env::join_paths(paths).context("the target folder's name cannot be part of PATH")
}

fn by_python(folder: &Path) -> Result<Command> {
    let python = tools::python()?;
    std::fs::create_dir_all(target().join("languages"))?;
    let install = ["-m", "pip", "install", "--quiet", "--requirement", "requirements.txt"];
    run(Command::new(&python).args(install).current_dir(folder))?;
    let mut build = Command::new(python);
    build.arg("build.py").current_dir(folder);
    Ok(build)
}

/// Everything that the component is made of: the contract, and the rule's folder but for its cases.
fn inputs(folder: &Path) -> Result<u64> {
    let mut files = files(&root().join("wit"))?;
    files.extend(files_of_rule(folder)?);
    let mut hasher = DefaultHasher::new();
    for file in files {
        let bytes =
            std::fs::read(&file).with_context(|| format!("failed to read {}", file.display()))?;
        (file, bytes).hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn files_of_rule(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = files(folder)?;
    if folder.join("src").is_dir() {
        found.extend(files(&folder.join("src"))?);
    }
    Ok(found)
}

/// The files in a folder, but not those in folders of it.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))?
    {
        files.push(entry?.path());
    }
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}
