//! `heat rules new`: a folder with a working rule, its cases, and all that it takes to build it. Nothing is overwritten.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::languages::LANGUAGES;
use super::languages::template::{Language, RuleRole};
use crate::terminal::print;

#[derive(Args)]
pub(crate) struct NewRuleArgs {
    /// The rule's name: lower-case letters, digits and hyphens, and a letter first
    name: String,
    /// The language that it is written in
    #[arg(long, value_name = "LANGUAGE", value_parser = names())]
    lang: String,
    /// Its job: a handler makes faves of what happens, a multiplier weighs them, a formula shows something
    #[arg(long, value_enum, default_value = "formula")]
    role: RuleRole,
    /// The folder to make; by default it has the rule's name
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

fn names() -> PossibleValuesParser {
    LANGUAGES.iter().map(|language| language.name).collect::<Vec<_>>().into()
}

pub(super) fn run(options: &NewRuleArgs) -> Result<()> {
    check_name(&options.name)?;
    let language = LANGUAGES
        .iter()
        .find(|language| language.name == options.lang)
        .with_context(|| format!("there is no {}", options.lang))?;
    let folder = options.folder.clone().unwrap_or_else(|| PathBuf::from(&options.name));
    make(language, &options.name, options.role, &folder)?;
    let (place, build) = (folder.display(), language.build);
    print(&format!(
        "{place} is a rule in {}. It needs {}.\n\n  cd {place}\n  {build}\n  heat rules test\n  heat rules bench\n\n\
         The rule is {}; what it answers stands in cases/.\n",
        language.title, language.needs, language.source
    ))?;
    Ok(())
}

/// What heatd wants of a name, and what the build tools want besides.
fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    ensure!(
        name.len() <= 32
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(plain),
        "{name:?} is no name for a rule; write 1 to 32 lower-case letters, digits and hyphens, and a letter first"
    );
    ensure!(name != "heat-rule", "heat-rule is what rules are written with; take another name");
    Ok(())
}

/// Writes the files of a language, with the name in them.
fn make(language: &Language, name: &str, role: RuleRole, folder: &Path) -> Result<()> {
    let empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => {
            return Err(error).with_context(|| format!("failed to read {}", folder.display()));
        }
    };
    ensure!(
        empty,
        "{} is not empty, and nothing is overwritten; give another --folder",
        folder.display()
    );
    for file in language.files(role) {
        let path = folder.join(file.path);
        let failed = || format!("failed to write {}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(failed)?;
        }
        std::fs::write(&path, file.fill(name)).with_context(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_heatd_and_the_build_tools_take() {
        for name in ["a", "streak", "top-10", "fn", &"x".repeat(32)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in
            ["", "Streak", "10-top", "-a", "a_b", "a b", "../a", "ü", "heat-rule", &"x".repeat(33)]
        {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_language_has_a_folder_for_every_role_and_overwrites_nothing() {
        for language in LANGUAGES {
            for role in [RuleRole::Handler, RuleRole::Multiplier, RuleRole::Formula] {
                let place = tempfile::tempdir().unwrap();
                let folder = place.path().join("deep/streak");
                make(language, "streak", role, &folder).unwrap();
                for needed in [
                    "README.md",
                    "heat-rule.toml",
                    "cases/first.txt",
                    language.source,
                    "wit/rule.wit",
                ] {
                    let text = std::fs::read_to_string(folder.join(needed)).unwrap();
                    assert!(!text.contains("{{"), "{needed} of {} has a gap", language.name);
                }
                assert!(
                    std::fs::read_to_string(folder.join(language.source))
                        .unwrap()
                        .contains("streak")
                );
                let again =
                    make(language, "streak", role, &folder).map_err(|error| error.to_string());
                assert!(again.is_err_and(|error| error.contains("not empty")));
            }
        }
    }
}
