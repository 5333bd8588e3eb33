//! Rules in Python: a module that componentize-py makes a component of, with Python in it. The cases are those of the same rule in Rust.

use super::template::{Language, TemplateFile, template};

pub(super) const PYTHON: Language = Language {
    name: "python",
    title: "Python",
    build: "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python build.py",
    needs: "Python 3.10 or newer, and a computer with more memory than a Raspberry Pi",
    source: "rule.py",
    handler: [
        template!("rule.py", "python/handler.py"),
        template!("cases/first.txt", "rust/handler.txt"),
    ],
    multiplier: [
        template!("rule.py", "python/multiplier.py"),
        template!("cases/first.txt", "rust/multiplier.txt"),
    ],
    formula: [
        template!("rule.py", "python/formula.py"),
        template!("cases/first.txt", "rust/formula.txt"),
    ],
    around: &[
        TemplateFile::copy("heat.py", include_str!("../../../../../../rules/milestones/heat.py")),
        TemplateFile::copy(
            "requirements.txt",
            include_str!("../../../../../../rules/milestones/requirements.txt"),
        ),
        template!("build.py", "python/build.py"),
        template!(".gitignore", "python/gitignore"),
        template!("README.md", "python/README.md"),
        template!("heat-rule.toml", "python/heat-rule.toml"),
    ],
};
