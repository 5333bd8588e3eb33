//! Rules in JavaScript: a package that npm builds, by way of jco and QuickJS.

use super::{File, Language, WIT};
use crate::rules::new::Role;

pub(super) const JAVASCRIPT: Language = Language {
    name: "javascript",
    title: "JavaScript",
    build: "npm install && npm run build",
    needs: "Node.js 20 or newer",
    source: "src/rule.js",
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
            template!("src/rule.js", "javascript/handler.js"),
            template!("cases/first.txt", "rust/handler.txt"),
        ],
        Role::Multiplier => [
            template!("src/rule.js", "javascript/multiplier.js"),
            template!("cases/first.txt", "rust/multiplier.txt"),
        ],
        Role::Formula => [
            template!("src/rule.js", "javascript/formula.js"),
            template!("cases/first.txt", "rust/formula.txt"),
        ],
    };
    let around = [
        File::copy("src/heat.js", include_str!("../../../../../rules/streak/src/heat.js")),
        template!("package.json", "javascript/package.json"),
        template!(".gitignore", "javascript/gitignore"),
        template!("README.md", "javascript/README.md"),
        template!("heat-rule.toml", "javascript/heat-rule.toml"),
    ];
    own.into_iter().chain(around).chain(WIT).collect()
}
