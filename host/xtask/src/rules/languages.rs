//! Builds the rules that are written in JavaScript and Python. Their packages are installed below the target folder, and what has
//! not changed is not built again: both need seconds, and their compilers hundreds of megabytes.

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

/// A rule's folder, whose build makes dist/NAME.wasm in it, and where that goes.
struct Build {
    name: String,
    language: Language,
    folder: PathBuf,
    component: PathBuf,
}

/// The rules that are not crates, by folder, which is the component's name too.
pub(crate) fn names() -> Result<Vec<String>> {
    Ok(rules()?.into_iter().map(|rule| rule.name).collect())
}

/// Builds those that have changed, beside the rules in Rust.
pub(crate) fn build() -> Result<()> {
    let stamps = target().join("languages");
    std::fs::create_dir_all(&stamps)
        .with_context(|| format!("failed to make {}", stamps.display()))?;
    for rule in rules()? {
        let stamp = stamps.join(format!("{}.stamp", rule.name));
        let inputs = format!("{:016x}", inputs(&rule.folder)?);
        let is_built = std::fs::read_to_string(&stamp).is_ok_and(|built| built == inputs);
        if !is_built || !rule.made().is_file() {
            rule.build().with_context(|| {
                format!("failed to build the rule in {}", rule.folder.display())
            })?;
            std::fs::write(&stamp, inputs)
                .with_context(|| format!("failed to write {}", stamp.display()))?;
        }
        rule.finish()?;
    }
    Ok(())
}

/// The tests keep compiled code, a file of up to 45 MB for each component. That of one that is gone is of no more use.
fn forget_compiled() {
    // Where there is none, none has to go.
    let _ = std::fs::remove_dir_all(target().join("compiled"));
}

fn rules() -> Result<Vec<Build>> {
    let mut rules = Vec::new();
    for entry in std::fs::read_dir(root().join("rules")).context("failed to read rules")? {
        let folder = entry?.path();
        if let (Some(name), Some(language)) = (folder.file_name(), Language::of(&folder)) {
            let name = name.to_string_lossy().into_owned();
            let component = target().join("rules").join(format!("{name}.wasm"));
            rules.push(Build { name, language, folder, component });
        }
    }
    rules.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(rules)
}

impl Build {
    fn build(&self) -> Result<()> {
        match self.language {
            Language::JavaScript => self.by_npm(),
            Language::Python => self.by_python(),
        }
    }

    /// What the build makes.
    fn made(&self) -> PathBuf {
        self.folder.join("dist").join(format!("{}.wasm", self.name))
    }

    /// Writes what was made where the others are, with its cases in it, unless it lies there.
    fn finish(&self) -> Result<()> {
        let (made, component) = (self.made(), &self.component);
        let mut bytes =
            std::fs::read(&made).with_context(|| format!("failed to read {}", made.display()))?;
        super::embed(&mut bytes, &self.folder.join("cases"))?;
        if std::fs::read(component).is_ok_and(|there| there == bytes) {
            say(&format!("  {}: unchanged", component.display()));
            return Ok(());
        }
        forget_compiled();
        std::fs::write(component, bytes)
            .with_context(|| format!("failed to write {}", component.display()))?;
        say(&format!("  {}", component.display()));
        Ok(())
    }

    /// The packages go below target, and npm finds their programs by the path: none are put into the rule's own folder.
    fn by_npm(&self) -> Result<()> {
        ensure!(
            tools::found("node") && tools::found("npm"),
            "rules in JavaScript need npm; install Node.js (20 or newer)"
        );
        let packages = target().join("languages").join(&self.name);
        std::fs::create_dir_all(&packages)?;
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(self.folder.join(file), packages.join(file))
                .with_context(|| format!("{} lacks its {file}", self.folder.display()))?;
        }
        // Not `npm ci`: that fails where a registry lacks the packages of other systems, which nobody needs here.
        let install = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
        run(Command::new("npm").args(install).current_dir(&packages))?;
        let mut path: Vec<PathBuf> = vec![packages.join("node_modules/.bin")];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let path = std::env::join_paths(path).context("a name that PATH cannot have")?;
        let mut build = Command::new("npm");
        run(build.args(["run", "--silent", "build"]).env("PATH", path).current_dir(&self.folder))
    }

    fn by_python(&self) -> Result<()> {
        let python = tools::python()?;
        let install = ["-m", "pip", "install", "--quiet", "--requirement", "requirements.txt"];
        run(Command::new(&python).args(install).current_dir(&self.folder))?;
        run(Command::new(&python).arg("build.py").current_dir(&self.folder))
    }
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
