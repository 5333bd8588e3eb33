//! A rule's folder: where its component is and where its cases are, as `heat-rule.toml` says.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde::Deserialize;

/// What says so, in every folder that `heat rules new` makes.
pub(crate) const FILE: &str = "heat-rule.toml";

/// Which rule a command is for.
#[derive(Args)]
pub(crate) struct RulePlace {
    /// The rule's folder, or a component
    #[arg(value_name = "FOLDER or FILE.wasm", default_value = ".")]
    place: PathBuf,
    /// The folder with the case files (*.txt), in place of the one that heat-rule.toml names
    #[arg(long, value_name = "FOLDER")]
    cases: Option<PathBuf>,
}

/// What is there.
pub(crate) struct Project {
    /// The folder itself, or that of the component.
    pub(crate) folder: PathBuf,
    /// Whether it is the folder of a rule, and not just where a component lies.
    pub(crate) described: bool,
    /// What was built: a core module or a component.
    pub(crate) built: PathBuf,
    /// The folder of the cases. Without one, the component may bring some along.
    pub(crate) cases: Option<PathBuf>,
    /// What it is built from: a folder or a file.
    sources: Option<PathBuf>,
    build: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    component: PathBuf,
    cases: Option<PathBuf>,
    sources: Option<PathBuf>,
    build: Option<String>,
}

impl RulePlace {
    /// A rule's folder, or a component.
    pub(crate) fn at(place: &Path) -> Self {
        Self { place: place.to_owned(), cases: None }
    }

    pub(crate) fn find(&self) -> Result<Project> {
        let place = &self.place;
        let mut project = if place.is_dir() {
            of_folder(place)?
        } else {
            ensure!(place.exists(), "there is no {}", place.display());
            let folder = place.parent().unwrap_or(Path::new("")).to_owned();
            Project {
                folder,
                described: false,
                built: place.clone(),
                cases: None,
                sources: None,
                build: None,
            }
        };
        if let Some(cases) = &self.cases {
            project.cases = Some(cases.clone());
        }
        Ok(project)
    }
}

fn of_folder(folder: &Path) -> Result<Project> {
    let file = folder.join(FILE);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "{} is not the folder of a rule: it has no {FILE}. `heat rules new` makes such a folder; for any other, name the \
             component and its cases: FILE.wasm --cases FOLDER",
            folder.display()
        ),
        Err(error) => {
            return Err(error).with_context(|| format!("failed to read {}", file.display()));
        }
    };
    let described: Description = toml::from_str(&text)
        .with_context(|| format!("{} cannot be understood", file.display()))?;
    // Nobody says ./cases.
    let here = if folder == Path::new(".") { Path::new("") } else { folder };
    let built = here.join(described.component);
    let command = described.build.as_deref().unwrap_or("the command of its language");
    ensure!(
        built.is_file(),
        "the rule is not built: there is no {}. Build it in its folder: {command}",
        built.display()
    );
    let below = |path: Option<PathBuf>| path.map(|path| here.join(path));
    let (cases, sources) = (below(described.cases), below(described.sources));
    Ok(Project {
        folder: folder.to_owned(),
        described: true,
        built,
        cases,
        sources,
        build: described.build,
    })
}

impl Project {
    /// A component with cases in a folder.
    #[cfg(test)]
    pub(crate) fn with_cases(built: PathBuf, cases: &Path) -> Self {
        let folder = cases.to_owned();
        Self {
            cases: Some(folder.clone()),
            folder,
            described: false,
            built,
            sources: None,
            build: None,
        }
    }

    /// The words for somebody who has changed the rule and not built it since.
    pub(crate) fn stale(&self) -> Option<String> {
        let built = std::fs::metadata(&self.built).and_then(|it| it.modified()).ok()?;
        let (changed, source) = newest(self.sources.as_deref()?)?;
        let command = self.build.as_deref().unwrap_or("the command of its language");
        (changed > built).then(|| {
            format!(
                "note: {} has changed since the rule was built; build it again: {command}",
                source.display()
            )
        })
    }
}

/// The file that was changed last, of a folder with all that is below it.
fn newest(path: &Path) -> Option<(SystemTime, PathBuf)> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).ok()?.flatten();
        return entries.filter_map(|entry| newest(&entry.path())).max();
    }
    let changed = std::fs::metadata(path).and_then(|it| it.modified()).ok()?;
    Some((changed, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: Option<&str>) -> String {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            std::fs::write(folder.path().join(FILE), text).unwrap();
        }
        match of_folder(folder.path()) {
            Ok(_) => panic!("{text:?} was taken"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn a_rule_that_has_changed_since_it_was_built_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, second: u64| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
            std::fs::File::create(path).unwrap().set_modified(time).unwrap();
        };
        let described = "component = \"a.wasm\"\nsources = \"src\"\nbuild = \"make\"";
        std::fs::write(folder.path().join(FILE), described).unwrap();
        file("src/deep/b.rs", 1_000);
        file("src/a.rs", 900);
        file("a.wasm", 1_001);
        assert_eq!(of_folder(folder.path()).unwrap().stale(), None);
        file("a.wasm", 999);
        let said = of_folder(folder.path()).unwrap().stale().unwrap();
        assert!(
            said.contains("b.rs has changed") && said.ends_with("build it again: make"),
            "{said}"
        );
    }

    #[test]
    fn what_is_no_folder_of_a_rule_is_said_with_what_would_do() {
        assert!(refusal(None).contains("heat rules new"));
        assert!(refusal(Some("component = 1")).contains("cannot be understood"));
        assert!(refusal(Some("component = \"a.wasm\"\ncase = \"b\"")).contains("`case`"));
        let unbuilt = refusal(Some("component = \"a.wasm\"\nbuild = \"make\""));
        assert!(unbuilt.ends_with("Build it in its folder: make"), "{unbuilt}");
    }
}
