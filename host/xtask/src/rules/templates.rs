//! Writes the folders that `heat rules new` makes, so that the templates are built and tried like any rule.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell::{root, target};

/// The languages whose templates are no crates.
const LANGUAGES: [&str; 2] = ["javascript", "python"];

/// Stands for the name of the rule.
const NAME: &str = "{{name}}";

/// Writes a rule of each template below the target folder, with the contract beside it. What is the same stays as it is.
pub(crate) fn render() -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for language in LANGUAGES {
        let name = format!("template-{language}");
        let folder = target().join("templates").join(&name);
        let template = root().join("host/cli/src/rules/templates").join(language);
        write(&template, &folder, &name)?;
        write(&root().join("wit"), &folder.join("wit"), &name)?;
        folders.push(folder);
    }
    Ok(folders)
}

fn write(from: &Path, to: &Path, name: &str) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("failed to make {}", to.display()))?;
    for entry in
        std::fs::read_dir(from).with_context(|| format!("failed to read {}", from.display()))?
    {
        let from = entry?.path();
        let to = to.join(from.file_name().unwrap_or_default());
        if from.is_dir() {
            write(&from, &to, name)?;
        } else {
            let text = std::fs::read_to_string(&from)
                .with_context(|| format!("failed to read {}", from.display()))?;
            std::fs::write(&to, text.replace(NAME, name))
                .with_context(|| format!("failed to write {}", to.display()))?;
        }
    }
    Ok(())
}
