//! What a language is made of: its files, some of them for one role of a rule, and what is filled in.
//!
//! In a template `{{name}}` stands for the rule's name, `{{version}}` for that of this program, and `{{rust}}` for the oldest Rust that
//! it is built with.

use clap::ValueEnum;

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuleRole {
    Handler,
    Multiplier,
    Formula,
}

/// How rules are made in a language.
pub(crate) struct Language {
    /// As `--lang` takes it.
    pub(crate) name: &'static str,
    /// As people write it.
    pub(crate) title: &'static str,
    /// The command that builds a rule, in its folder.
    pub(crate) build: &'static str,
    /// What has to be installed for that, as the end of a sentence.
    pub(crate) needs: &'static str,
    /// The file in which the rule is written.
    pub(crate) source: &'static str,
    /// A rule of each role, with its cases.
    pub(super) handler: [TemplateFile; 2],
    pub(super) multiplier: [TemplateFile; 2],
    pub(super) formula: [TemplateFile; 2],
    /// What stands around every rule.
    pub(super) around: &'static [TemplateFile],
}

/// A file of a new folder.
pub(crate) struct TemplateFile {
    /// Its place in the folder.
    pub(crate) path: &'static str,
    text: &'static str,
    /// Whether it has gaps for the name and the version.
    has_gaps: bool,
}

impl Language {
    /// The files of a new folder, for a rule of this role.
    pub(crate) fn files(&self, role: RuleRole) -> impl Iterator<Item = &TemplateFile> {
        let own = match role {
            RuleRole::Handler => &self.handler,
            RuleRole::Multiplier => &self.multiplier,
            RuleRole::Formula => &self.formula,
        };
        own.iter().chain(self.around).chain(&WIT)
    }
}

impl TemplateFile {
    /// A file with gaps.
    pub(super) const fn with_gaps(path: &'static str, text: &'static str) -> Self {
        Self { path, text, has_gaps: true }
    }

    /// A file that is taken as it is.
    pub(super) const fn copy(path: &'static str, text: &'static str) -> Self {
        Self { path, text, has_gaps: false }
    }

    /// The text for a rule of this name.
    pub(crate) fn fill(&self, name: &str) -> String {
        if !self.has_gaps {
            return self.text.to_owned();
        }
        self.text
            .replace("{{name}}", name)
            .replace("{{version}}", env!("CARGO_PKG_VERSION"))
            .replace("{{rust}}", env!("CARGO_PKG_RUST_VERSION"))
    }
}

/// A file in `templates/`.
macro_rules! template {
    ($path:literal, $name:literal) => {
        TemplateFile::with_gaps($path, include_str!(concat!("../templates/", $name)))
    };
}
pub(super) use template;

/// The contract between heatd and rules: for every language.
pub(super) const WIT: [TemplateFile; 5] = [
    TemplateFile::copy("wit/rule.wit", include_str!("../../../../../../wit/rule.wit")),
    TemplateFile::copy("wit/about.wit", include_str!("../../../../../../wit/about.wit")),
    TemplateFile::copy("wit/events.wit", include_str!("../../../../../../wit/events.wit")),
    TemplateFile::copy("wit/effects.wit", include_str!("../../../../../../wit/effects.wit")),
    TemplateFile::copy("wit/views.wit", include_str!("../../../../../../wit/views.wit")),
];

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn the_contract_is_whole() {
        assert_eq!(paths(&WIT, "wit/"), sources("wit"));
    }

    /// The names of these files below a folder.
    pub(crate) fn paths(files: &[TemplateFile], below: &str) -> Vec<String> {
        let mut names: Vec<String> = files
            .iter()
            .filter_map(|file| Some(file.path.strip_prefix(below)?.to_owned()))
            .collect();
        names.sort();
        names
    }

    /// The names of all files in a folder of this project.
    pub(crate) fn sources(folder: &str) -> Vec<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}
