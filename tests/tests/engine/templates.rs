//! What `heat rules new` makes in JavaScript and Python: `cargo xtask rules --all` builds a rule of each, and its cases hold. The helpers and
//! the tools are those of the rules in this repository, so that these show what can be done with them.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::cases::play;
use crate::stage::{root, target};

const TEMPLATES: &str = "host/cli/src/rules/templates";

#[test]
fn the_cases_of_the_templates_are_as_written() -> Result<()> {
    for name in ["template-javascript", "template-python"] {
        let folder = target()?.join("templates").join(name).join("cases");
        let files = std::fs::read_dir(&folder).with_context(|| {
            format!("{} is not there; run `cargo xtask rules --all`", folder.display())
        })?;
        let mut count = 0;
        for file in files {
            let file = file?.path();
            let written = std::fs::read_to_string(&file)?;
            for instance_events in [64, 1] {
                let played = play(name, &written, instance_events)?;
                ensure!(played == written, "{}\n--- played\n{played}", file.display());
            }
            count += 1;
        }
        ensure!(count > 0, "{name} has no cases");
    }
    Ok(())
}

#[test]
fn the_helpers_of_the_templates_are_those_of_the_rules() -> Result<()> {
    for (rule, template) in [
        ("rules/streak/src/heat.js", "javascript/src/heat.js"),
        ("rules/milestones/heat.py", "python/heat.py"),
        ("rules/milestones/requirements.txt", "python/requirements.txt"),
    ] {
        let template = Path::new(TEMPLATES).join(template);
        ensure!(read(rule)? == read(&template)?, "{} is not {rule}", template.display());
    }
    let tools = |package: &str| -> Result<serde_json::Value> {
        let package: serde_json::Value = serde_json::from_str(package)?;
        Ok(package["devDependencies"].clone())
    };
    let template = tools(&read(Path::new(TEMPLATES).join("javascript/package.json"))?)?;
    assert_eq!(tools(&read("rules/streak/package.json")?)?, template);
    Ok(())
}

fn read(file: impl AsRef<Path>) -> Result<String> {
    let file = root().join(file);
    std::fs::read_to_string(&file).with_context(|| file.display().to_string())
}
