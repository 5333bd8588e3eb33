//! Rules in Python: a module that componentize-py makes a component of, with Python in it.

use super::{File, Language, WIT};
use crate::rules::new::Role;

pub(super) const PYTHON: Language = Language {
    name: "python",
    title: "Python",
    build: "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python build.py",
    needs: "Python 3.10 or newer, and a computer with more memory than a Raspberry Pi",
    source: "rule.py",
    files,
};

/// One template.
macro_rules! template {
    ($path:literal, $name:literal) => {
        File::template($path, include_str!(concat!("../templates/", $name)))
    };
}

/// The cases are those of the same rule in Rust.
fn files(role: Role) -> Vec<File> {
    let own = match role {
        Role::Handler => [
            template!("rule.py", "python/handler.py"),
            template!("cases/first.txt", "rust/handler.txt"),
        ],
        Role::Multiplier => [
            template!("rule.py", "python/multiplier.py"),
            template!("cases/first.txt", "rust/multiplier.txt"),
        ],
        Role::Formula => [
            template!("rule.py", "python/formula.py"),
            template!("cases/first.txt", "rust/formula.txt"),
        ],
    };
    let around = [
        File::copy("heat.py", include_str!("../../../../../rules/milestones/heat.py")),
        File::copy(
            "requirements.txt",
            include_str!("../../../../../rules/milestones/requirements.txt"),
        ),
        template!("build.py", "python/build.py"),
        template!(".gitignore", "python/gitignore"),
        template!("README.md", "python/README.md"),
        template!("heat-rule.toml", "python/heat-rule.toml"),
    ];
    own.into_iter().chain(around).chain(WIT).collect()
}
