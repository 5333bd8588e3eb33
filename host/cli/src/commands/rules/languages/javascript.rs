//! Rules in JavaScript: a package that npm builds, by way of jco and QuickJS. The cases are those of the same rule in Rust.

use super::template::{Language, TemplateFile, template};

pub(super) const JAVASCRIPT: Language = Language {
    name: "javascript",
    title: "JavaScript",
    build: "npm install && npm run build",
    needs: "Node.js 20 or newer",
    source: "src/rule.js",
    handler: [
        template!("src/rule.js", "javascript/handler.js"),
        template!("cases/first.txt", "rust/handler.txt"),
    ],
    multiplier: [
        template!("src/rule.js", "javascript/multiplier.js"),
        template!("cases/first.txt", "rust/multiplier.txt"),
    ],
    formula: [
        template!("src/rule.js", "javascript/formula.js"),
        template!("cases/first.txt", "rust/formula.txt"),
    ],
    around: &[
        TemplateFile::copy(
            "src/heat.js",
            include_str!("../../../../../../rules/streak/src/heat.js"),
        ),
        TemplateFile::copy(
            "src/heat.d.ts",
            include_str!("../../../../../../rules/streak/src/heat.d.ts"),
        ),
        template!("package.json", "javascript/package.json"),
        template!(".gitignore", "javascript/gitignore"),
        template!("README.md", "javascript/README.md"),
        template!("heat-rule.toml", "javascript/heat-rule.toml"),
    ],
};
