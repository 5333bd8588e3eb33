//! The languages that a rule can be made in: for each, the files of a new folder. They are part of this program.
//!
//! A language is a module with one constant, listed in [`LANGUAGES`]. Its templates lie in `templates/`; in them `{{name}}` stands for
//! the rule's name, `{{version}}` for that of this program, and `{{rust}}` for the oldest Rust that it is built with.

mod javascript;
mod python;
mod rust;

use super::new::Role;

/// Every language, by the name that `--lang` takes.
pub(super) const LANGUAGES: &[Language] = &[rust::RUST, javascript::JAVASCRIPT, python::PYTHON];

/// How rules are made in a language.
pub(super) struct Language {
    /// As `--lang` takes it.
    pub(super) name: &'static str,
    /// As people write it.
    pub(super) title: &'static str,
    /// The command that builds a rule, in its folder.
    pub(super) build: &'static str,
    /// What has to be installed for that, as the end of a sentence.
    pub(super) needs: &'static str,
    /// The file in which the rule is written.
    pub(super) source: &'static str,
    /// The files of a new folder, for a rule of this role.
    pub(super) files: fn(Role) -> Vec<File>,
}

/// A file of a new folder.
pub(super) struct File {
    /// Its place in the folder.
    pub(super) path: &'static str,
    text: &'static str,
    /// Whether it has gaps for the name and the version.
    template: bool,
}

impl File {
    /// A file with gaps.
    pub(super) const fn template(path: &'static str, text: &'static str) -> Self {
        Self { path, text, template: true }
    }

    /// A file that is taken as it is.
    pub(super) const fn copy(path: &'static str, text: &'static str) -> Self {
        Self { path, text, template: false }
    }
}

/// The text of a file for a rule of this name.
pub(super) fn fill(file: &File, name: &str) -> String {
    if !file.template {
        return file.text.to_owned();
    }
    file.text
        .replace("{{name}}", name)
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{rust}}", env!("CARGO_PKG_RUST_VERSION"))
}

/// The contract between heatd and rules: for every language.
pub(super) const WIT: [File; 5] = [
    File::copy("wit/rule.wit", include_str!("../../../../wit/rule.wit")),
    File::copy("wit/about.wit", include_str!("../../../../wit/about.wit")),
    File::copy("wit/events.wit", include_str!("../../../../wit/events.wit")),
    File::copy("wit/effects.wit", include_str!("../../../../wit/effects.wit")),
    File::copy("wit/views.wit", include_str!("../../../../wit/views.wit")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_whole() {
        assert_eq!(paths(&WIT, "wit/"), sources("wit"));
    }

    /// The names of these files below a folder.
    pub(super) fn paths(files: &[File], below: &str) -> Vec<String> {
        let mut names: Vec<String> = files
            .iter()
            .filter_map(|file| Some(file.path.strip_prefix(below)?.to_owned()))
            .collect();
        names.sort();
        names
    }

    /// The names of all files in a folder of this project.
    pub(super) fn sources(folder: &str) -> Vec<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}
