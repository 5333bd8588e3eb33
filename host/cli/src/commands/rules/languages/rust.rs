//! Rules in Rust: a crate with what the rules of this project are written with beside it, so that it builds anywhere.

use super::template::{Language, TemplateFile, template};

pub(super) const RUST: Language = Language {
    name: "rust",
    title: "Rust",
    build: "cargo build --release",
    needs: "Rust, and once: rustup target add wasm32-unknown-unknown",
    source: "src/lib.rs",
    handler: [
        template!("src/lib.rs", "rust/handler.rs"),
        template!("cases/first.txt", "rust/handler.txt"),
    ],
    multiplier: [
        template!("src/lib.rs", "rust/multiplier.rs"),
        template!("cases/first.txt", "rust/multiplier.txt"),
    ],
    formula: [
        template!("src/lib.rs", "rust/formula.rs"),
        template!("cases/first.txt", "rust/formula.txt"),
    ],
    around: &AROUND,
};

/// One source file of heat-rule.
macro_rules! sdk {
    ($name:literal) => {
        TemplateFile::copy(
            concat!("sdk/heat-rule/src/", $name),
            include_str!(concat!("../../../../../../rules/sdk/src/", $name)),
        )
    };
}

/// The crate, and heat-rule as it is; of its manifest, what it has from our workspace stands in a template.
const AROUND: [TemplateFile; 24] = [
    template!("Cargo.toml", "rust/Cargo.toml.template"),
    // The versions that are tested: what is newer may want a newer Rust.
    template!("Cargo.lock", "rust/Cargo.lock.template"),
    template!(".cargo/config.toml", "rust/cargo-config.toml"),
    template!(".gitignore", "rust/gitignore"),
    template!("README.md", "rust/README.md"),
    template!("heat-rule.toml", "rust/heat-rule.toml"),
    template!("sdk/heat-rule/Cargo.toml", "rust/sdk.toml.template"),
    sdk!("lib.rs"),
    sdk!("about.rs"),
    sdk!("call.rs"),
    sdk!("glue.rs"),
    sdk!("half_life.rs"),
    sdk!("item.rs"),
    sdk!("json.rs"),
    sdk!("moderators.rs"),
    sdk!("outputs.rs"),
    sdk!("people.rs"),
    sdk!("role.rs"),
    sdk!("settings.rs"),
    sdk!("state.rs"),
    sdk!("template.rs"),
    sdk!("text.rs"),
    sdk!("thousandths.rs"),
    sdk!("typed.rs"),
];

#[cfg(test)]
mod tests {
    use super::super::template::tests::{paths, sources};
    use super::*;

    fn of_project(file: &str) -> String {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        std::fs::read_to_string(root.join(file)).unwrap()
    }

    #[test]
    fn the_copy_of_heat_rule_is_whole() {
        assert_eq!(paths(&AROUND, "sdk/heat-rule/src/"), sources("rules/sdk/src"));
        let dependencies = |manifest: &str| {
            let rest = manifest.split("[dependencies]\n").nth(1).unwrap_or_default().to_owned();
            rest.lines().take_while(|line| !line.starts_with('[')).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(
            dependencies(include_str!("../templates/rust/sdk.toml.template")).trim(),
            dependencies(&of_project("rules/sdk/Cargo.toml")).trim()
        );
    }

    /// Then it builds with what is at hand here, and the tests that build it need no network. When a version of the project has
    /// changed: make a rule, put the project's Cargo.lock into its folder, build it, and take what cargo left of that file.
    #[test]
    fn a_new_rule_is_built_with_the_versions_of_this_project() {
        let ours = of_project("Cargo.lock");
        let theirs = include_str!("../templates/rust/Cargo.lock.template");
        let versions = |lock: &str| -> Vec<String> {
            let packages = lock.split("[[package]]\n").skip(1);
            let is_foreign = |package: &&str| package.contains("\nchecksum = ");
            let version = |package: &str| {
                package.split("dependencies").next().unwrap_or_default().trim().to_owned()
            };
            packages.filter(is_foreign).map(version).collect()
        };
        let ours = versions(&ours);
        let theirs = versions(theirs);
        assert!(theirs.len() > 10);
        for package in theirs {
            assert!(ours.contains(&package), "Cargo.lock.template has another {package}");
        }
    }
}
